"""The pure floor: what is counted, chosen and decided; standard library only."""
