"""The linear datamodelling score: do scores of training images tell what retraining without some of them changes?"""
