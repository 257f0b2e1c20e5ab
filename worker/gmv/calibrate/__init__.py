"""`gmv calibrate`: where credit goes at several temperatures, by images whose training images are known."""
