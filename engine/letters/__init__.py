"""What is sent to people by mail: invitations to conferences and reports of them, in English and French."""
