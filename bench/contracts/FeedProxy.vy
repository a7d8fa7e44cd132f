# pragma version 0.4.3
"""
@title   For measurements only: a price feed's proxy, which forwards to its aggregator as Chainlink's does
@license Apache-2.0
"""

from interfaces import IFeed

interface Aggregator:
    def latestRoundData() -> (uint80, int256, uint256, uint256, uint80): view


aggregator: public(address)


@deploy
def __init__(aggregator_: address):
    self.aggregator = aggregator_


@external
@view
def decimals() -> uint256:
    return staticcall IFeed(self.aggregator).decimals()


@external
@view
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    return staticcall Aggregator(self.aggregator).latestRoundData()
