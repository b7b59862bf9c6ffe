"""Dagster's own floor: a job of one asset that does nothing."""

import dagster as dg


@dg.asset
def nothing() -> None:
    """Do nothing."""


defs = dg.Definitions(assets=[nothing], jobs=[dg.define_asset_job("do_nothing")], executor=dg.in_process_executor)
