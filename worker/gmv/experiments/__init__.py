"""The experiments of GMValuator, run over the code that credits: is what it credits what generators were made of?"""
