"""What the host says over HTTP: reads only, from the board and the history."""
