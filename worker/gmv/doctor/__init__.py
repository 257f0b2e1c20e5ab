"""What stands between a worker and its work: looked up, judged by pure rules, and never changed."""
