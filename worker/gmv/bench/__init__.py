"""What `gmv bench` runs: rates side by side in one run, as ratios, since these depend less on the machine."""
