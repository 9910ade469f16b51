"""Cost curves: what fitting and transforming take against the size of everything."""
