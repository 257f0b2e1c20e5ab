"""`gmv bench`: its commands, and how what they measure looks to people."""
