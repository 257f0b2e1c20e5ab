"""What keeps a worker from its work: looked up, judged by pure rules, and never changed."""
