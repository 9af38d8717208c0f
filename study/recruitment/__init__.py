"""How people come to a study and where they go afterwards: links, panels, invitations, and the way back."""
