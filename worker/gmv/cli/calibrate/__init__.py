"""`gmv calibrate`."""
