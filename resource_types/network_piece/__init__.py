"""SE::NetworkPiece: a network's part on one of the hosts that it spans."""
