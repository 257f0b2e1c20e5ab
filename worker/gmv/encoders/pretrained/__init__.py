"""Encoders around networks that somebody else has trained: of a package, of an ONNX file, of a Hugging Face folder."""
