"""From a corpus to an index folder: features, recall, tables, manifest. Step by step; a killed build goes on."""
