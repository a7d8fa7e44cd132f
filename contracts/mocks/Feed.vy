# pragma version 0.4.3
"""
@title   For tests only: a Chainlink-shaped price feed that anyone may set
@license Apache-2.0
@notice  Decimals and description are immutables and storage starts empty, so the deployed runtime code can be copied
         to any address (anvil_setCode) and works there. Source of the shape: Chainlink's AggregatorV3Interface.
"""

struct Round:
    answer: int256
    updated_at: uint256


event AnswerUpdated:
    current: indexed(int256)
    roundId: indexed(uint256)
    updatedAt: uint256


decimals: public(immutable(uint8))
description: public(immutable(String[64]))
version: public(constant(uint256)) = 4

rounds: HashMap[uint80, Round]
latestRound: public(uint80)


@deploy
def __init__(decimals_: uint8, description_: String[64]):
    decimals = decimals_
    description = description_


@external
def set_answer(answer: int256, updated_at: uint256):
    """@notice Open a new round; any sign and any time, so that tests can be as wrong as a feed can."""
    self.latestRound += 1
    self.rounds[self.latestRound] = Round(answer=answer, updated_at=updated_at)
    log AnswerUpdated(current=answer, roundId=convert(self.latestRound, uint256), updatedAt=updated_at)


@external
@view
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    return self._round(self.latestRound)


@external
@view
def getRoundData(round_id: uint80) -> (uint80, int256, uint256, uint256, uint80):
    return self._round(round_id)


@external
@view
def latestAnswer() -> int256:
    return self.rounds[self.latestRound].answer


@internal
@view
def _round(round_id: uint80) -> (uint80, int256, uint256, uint256, uint80):
    """@return round, answer, started at, updated at, answered in round"""
    assert 0 < round_id and round_id <= self.latestRound, "No data present"  # Chainlink's own words
    found: Round = self.rounds[round_id]
    return round_id, found.answer, found.updated_at, found.updated_at, round_id
