"""`gmv demo`: the whole of gmv on the example corpus, ending in a report with pictures."""
