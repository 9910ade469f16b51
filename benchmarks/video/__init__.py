"""Weakly supervised anomalies in bags: video sets and multiple-instance sets, with baselines."""
