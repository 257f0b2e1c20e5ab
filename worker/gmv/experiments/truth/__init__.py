"""Known truth: the demo's remixes, whose sources and mixing weights are known, attributed by the code that credits."""
