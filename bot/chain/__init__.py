"""The node: requests, contract encoding, gas, keys, and the local chains we test on."""
