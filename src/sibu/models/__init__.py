"""F2, where pretrained models come from: packaged wheels by alias, local folders, the Hub."""
