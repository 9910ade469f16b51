"""Bags of units: bag AUC on multiple-instance sets, frame AUC on video sets."""
