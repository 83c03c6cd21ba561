"""How fast the services are, as ratios to references measured in the same run."""
