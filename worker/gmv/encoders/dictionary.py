"""How far a patch resembles each atom of a dictionary of typical patches."""

from torch import Tensor


def resemblance(patches: Tensor, atoms: Tensor) -> Tensor:
    """Return the triangle activation: by how much an atom is nearer than the mean atom, or 0.

    Args:
        patches: float32 [n, p].
        atoms: float32 [K, p].

    Returns:
        float32 [n, K], >= 0, about half of them 0.
    """
    squares = patches.square().sum(-1, keepdim=True) + atoms.square().sum(-1) - 2 * patches @ atoms.T
    distances = squares.clamp_(min=0).sqrt_()
    return (distances.mean(-1, keepdim=True) - distances).clamp_(min=0)
