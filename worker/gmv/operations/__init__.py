"""What operators do beside the stream: explain, verify, correct, redrive, accept a loss. Rules over ports."""
