"""The networks: encoder, mean decoder, generator and discriminator, plain modules that know tensors only."""
