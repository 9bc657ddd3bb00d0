"""How ranks find and reach each other: a store, Gloo pairs and an NCCL ring, all over real sockets."""
