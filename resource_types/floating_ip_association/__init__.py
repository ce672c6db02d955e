"""SE::FloatingIPAssociation: a floating address and the guest that it stands for."""
