"""`gmv rights`: what the files of a corpus say of data mining, training and licences, for people to review."""
