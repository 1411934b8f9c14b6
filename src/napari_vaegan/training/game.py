"""The adversarial game: what the discriminator learns, and a move of both players without the VAE."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_vaegan.config import TrainingConfig
from napari_vaegan.training import losses
from napari_vaegan.training.batches import Batch
from napari_vaegan.training.players import Players
from napari_vaegan.training.terms import Look, as_observed, draw_sample, judge, penalty_term


def play(players: Players, batch: Batch, seen: Look, config: TrainingConfig, weight: float, step: int) -> dict[str, Tensor]:
    """Find the gradients of both players from the same verdicts; no weight changes. Return the terms of their losses.

    The discriminator is asked once instead of once for each player, and its own turn runs beside the generator's: what it
    says pushes the samples, and the generator learns from that push.

    Parameters
    ----------
    players
        Whose generator and discriminator play.
    batch, seen
        Patches, and the look at what was observed of them.
    config
        Names the adversarial loss and the weight of the gradient penalty.
    weight
        Of the generator's adversarial term.
    step
        Of the training: real patches and samples pay the gradient penalty by turns.
    """
    players.discriminator.adapt(batch.truth)
    judged = players.beside.start(lambda: judge(players, batch, batch.truth)[0])
    made = as_observed(batch, draw_sample(players, batch, seen))
    shown = made.detach().requires_grad_()
    verdicts = judged.result(), judge(players, batch, shown)[0]

    of_generator, of_discriminator = losses.ADVERSARIAL_LOSSES[config.adversarial_loss]
    adversarial = of_generator(*verdicts)
    (push,) = torch.autograd.grad(weight * adversarial, shown, retain_graph=True)

    def discriminate() -> dict[str, Tensor]:
        penalty = penalty_term(players, batch, shown, config, step)
        return learn_to_judge(players, {"discriminator": of_discriminator(*verdicts)} | penalty)

    critic = players.beside.start(discriminate)
    players.differentiate((push * made).sum())  # whose gradient by the samples is the push
    return {"adversarial": adversarial} | critic.result()


def learn_to_judge(players: Players, terms: dict[str, Tensor]) -> dict[str, Tensor]:
    """Find the gradient of the discriminator's terms by its weights, which stay as they are; return the terms."""
    players.differentiate_discriminator(torch.stack(list(terms.values())).sum())
    return terms
