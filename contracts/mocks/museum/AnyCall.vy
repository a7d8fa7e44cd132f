# pragma version 0.4.3
"""
@title   Museum: Dexible 2023, Socket 2024, LiFi 2024. A contract that holds allowances calls whatever it is told to.
@license Apache-2.0
"""


@external
def execute(target: address, data: Bytes[1_024]):
    """@notice Meant for routers."""
    raw_call(target, data)
