"""The terms of the objective, against what the papers write."""

from __future__ import annotations

import pytest
import torch

from napari_vaegan.training import losses
from napari_vaegan.training.averaged import Averaged
from napari_vaegan.training.running_error import RunningError


def test_generator_and_discriminator_want_opposite_orders() -> None:
    low, high = [torch.zeros(2, 1, 4, 4)], [torch.full((2, 1, 4, 4), 3.0)]
    assert losses.relativistic_generator_loss(low, high) < losses.relativistic_generator_loss(high, low)
    assert losses.relativistic_discriminator_loss(high, low) < losses.relativistic_discriminator_loss(low, high)


def test_the_textbook_losses_judge_each_image_alone() -> None:
    real, fake = [torch.tensor([[2.0]])], [torch.tensor([[-1.0]])]
    probabilities = torch.sigmoid(torch.tensor([2.0, -1.0]))
    wanted = -probabilities[0].log() - (1 - probabilities[1]).log()
    torch.testing.assert_close(losses.non_saturating_discriminator_loss(real, fake), wanted)
    torch.testing.assert_close(losses.non_saturating_generator_loss(real, fake), -probabilities[1].log())


def test_equal_verdicts_cost_the_logarithm_of_two() -> None:
    verdict = [torch.randn(2, 1, 4, 4)]
    torch.testing.assert_close(losses.relativistic_generator_loss(verdict, verdict), torch.tensor(2.0).log())


def test_a_little_information_is_free() -> None:
    divergences = [torch.tensor(value, requires_grad=True) for value in (0.5, 30.0)]
    total = losses.divergence_beyond_free(divergences, [20, 40], [1.0, 0.5])
    total.backward()
    assert total.item() == pytest.approx(20 * losses.FREE_NATS + 15)
    assert [divergence.grad.item() for divergence in divergences] == [0, 0.5]


def test_a_latent_channel_tells_of_the_image_by_what_its_mean_varies() -> None:
    torch.manual_seed(0)
    means = torch.randn(64, 3, 8, 8) * torch.tensor([0.0, 0.6, 1.0])[:, None, None]
    drawn = means + torch.randn(64, 3, 8, 8) * torch.tensor([1.0, 0.8, 0.0])[:, None, None]
    (shares,) = losses.informative_shares([means], [drawn])
    torch.testing.assert_close(shares, torch.tensor([0.0, 0.36, 1.0]), atol=0.02, rtol=0)
    (of_none,) = losses.informative_shares([torch.zeros(4, 2, 8, 8)], [torch.zeros(4, 2, 8, 8)])
    assert torch.equal(of_none, torch.zeros(2))


def test_the_flow_is_wrong_by_as_much_as_its_latents_tell() -> None:
    """Channels count by their shares, whatever their number of places; where none tells anything nothing is wrong."""
    begin, end = ([torch.full((2, 2, side, side), value) for side in (2, 4)] for value in (1.0, 4.0))
    velocities = [level - first for level, first in zip(end, begin, strict=True)]
    velocities[0][:, 0] += 1
    velocities[1][:, 1] += 2
    shares = [torch.tensor([0.3, 0.0]), torch.tensor([0.5, 0.2])]
    torch.testing.assert_close(losses.flow_matching(velocities, begin, end, shares), torch.tensor(0.3 + 4 * 0.2))
    none = [torch.zeros(2), torch.zeros(2)]
    assert losses.flow_matching(velocities, begin, end, none) == 0


def test_the_gradient_penalty_of_a_linear_critic_is_its_squared_weight() -> None:
    weight = torch.randn(1, 3, 4, 4)
    images = torch.rand(5, 3, 4, 4, requires_grad=True)
    verdict = (images * weight).sum(dim=(1, 2, 3), keepdim=True)
    penalty = losses.zero_centred_gradient_penalty(images, [verdict])
    torch.testing.assert_close(penalty, weight.square().sum())


def test_the_predicted_error_is_best_where_it_is_true() -> None:
    truth = torch.randn(4, 1, 32, 32)
    image = truth + 0.3 * torch.randn(4, 1, 32, 32)
    guesses, noise = torch.linspace(-6, 2, 33), torch.zeros_like(truth)
    costs = [
        losses.error_likelihood(torch.full_like(truth, g), image, truth, torch.ones_like(truth).bool(), noise).mean()
        for g in guesses
    ]
    assert abs(guesses[int(torch.stack(costs).argmin())] - 2 * torch.tensor(0.3).log()) < 0.3


def test_the_noise_of_the_truth_is_not_taken_for_an_error() -> None:
    clean = torch.zeros(4, 1, 64, 64)
    image, truth = clean + 0.3 * torch.randn_like(clean), clean + 0.5 * torch.randn_like(clean)
    guesses, noise = torch.linspace(-6, 2, 33), torch.full_like(clean, 0.25)
    everywhere = torch.ones_like(clean).bool()
    costs = [losses.error_likelihood(torch.full_like(clean, g), image, truth, everywhere, noise).mean() for g in guesses]
    assert abs(guesses[int(torch.stack(costs).argmin())] - 2 * torch.tensor(0.3).log()) < 0.3


def test_the_predicted_error_does_not_move_the_image() -> None:
    image, truth = torch.rand(1, 1, 4, 4, requires_grad=True), torch.rand(1, 1, 4, 4)
    log_error = torch.zeros(1, 1, 4, 4, requires_grad=True)
    losses.error_likelihood(log_error, image, truth, torch.ones_like(truth).bool(), 0 * truth).sum().backward()
    assert image.grad is None
    assert log_error.grad is not None


def test_the_predicted_error_of_known_pixels_is_free() -> None:
    truth, log_error = torch.rand(1, 1, 4, 4), torch.zeros(1, 1, 4, 4, requires_grad=True)
    unknown = torch.zeros(1, 1, 4, 4).bool()
    unknown[..., 0] = True
    losses.error_likelihood(log_error, truth + 2, truth, unknown, 0 * truth).sum().backward()
    assert log_error.grad is not None
    assert (log_error.grad[~unknown] == 0).all()
    assert (log_error.grad[unknown] != 0).all()


def test_feature_matching_vanishes_for_equal_features_and_moves_the_fake_alone() -> None:
    real, fake = torch.rand(2, 3, 4, 4, requires_grad=True), torch.rand(2, 3, 4, 4, requires_grad=True)
    assert losses.feature_matching([real], [real]) == 0
    losses.feature_matching([real], [fake]).backward()
    assert real.grad is None
    assert fake.grad is not None


def test_a_level_is_compared_with_the_residual_averaged_to_its_grid() -> None:
    residual = torch.rand(2, 1, 16, 16)
    level = torch.nn.functional.avg_pool2d(residual, 8)
    assert losses.level_errors([level], residual)[0].max() < 1e-10


def test_running_errors_are_kept_apart_by_kind() -> None:
    errors = RunningError(2)
    for _ in range(200):
        errors.update(torch.tensor([0, 1]), torch.tensor([1.0, 100.0]))
    torch.testing.assert_close(errors.of(torch.tensor([0, 1]))[:, 0], torch.tensor([1.0, 100.0]))


def test_one_patch_out_of_all_proportion_hardly_moves_the_running_error() -> None:
    errors = RunningError(1)
    for error in [1.0] * 100 + [1e6]:
        errors.update(torch.tensor([0]), torch.tensor([error]))
    assert errors.of(torch.tensor([0])).item() < 1.3


def test_running_errors_ignore_what_is_not_finite() -> None:
    errors = RunningError(1, start=0.5)
    errors.update(torch.tensor([0]), torch.tensor([float("nan")]))
    assert errors.of(torch.tensor([0])).item() == 0.5


def test_the_average_remembers_a_share_of_the_training() -> None:
    module = torch.nn.ModuleDict({"early": torch.nn.Linear(1, 1, bias=False), "late": torch.nn.Linear(1, 1, bias=False)})
    average = Averaged(module, memory=0.1)
    for step in range(1, 1001):
        for weight in module.parameters():
            weight.data.fill_(float(step))
        average.update(*(["early"] if step <= 500 else ["early", "late"]))
    early, late = (average.module.get_submodule(part).weight.item() for part in ("early", "late"))
    assert 850 < early < 950
    assert 930 < late < 970  # of the last tenth of its own five hundred steps
    assert not any(p.requires_grad for p in average.module.parameters())


def test_the_score_tells_grain_from_white_noise_of_the_same_strength() -> None:
    torch.manual_seed(0)

    def grain(smooth: bool) -> torch.Tensor:
        white = torch.randn(64, 1, 34, 34)
        image = torch.nn.functional.avg_pool2d(white, 3, stride=1) if smooth else white[..., 1:-1, 1:-1]
        return image / image.std()

    def score(smooth: bool) -> torch.Tensor:
        return losses.ranked_probability_score(grain(smooth), grain(smooth), grain(smooth=True)).mean()

    assert score(smooth=True) < 0.98 * score(smooth=False)
