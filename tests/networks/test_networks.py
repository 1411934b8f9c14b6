"""Encoder, decoders and discriminator."""

from __future__ import annotations

import pytest
import torch

from napari_vaegan.networks.discriminator import Discriminator
from napari_vaegan.networks.full_resolution import FullResolution
from napari_vaegan.networks.generator import LARGEST_SHIFT, gaussian_divergence
from napari_vaegan.networks.presets import ARCHITECTURES, rate_by_width
from napari_vaegan.networks.vae_gan import VaeGan
from napari_vaegan.observation.observation import CONDITION_SIZE, Observation, observe_pixels


def networks(channels: int = 1) -> VaeGan:
    torch.manual_seed(0)
    return VaeGan(channels, ARCHITECTURES["tiny"], CONDITION_SIZE)


def observation(channels: int = 1, size: int = 32) -> Observation:
    known = torch.ones(2, 1, size, size)
    known[..., : size // 2, :] = 0
    return observe_pixels(torch.rand(2, channels, size, size), known)


def see(model: VaeGan, seen: Observation) -> list[torch.Tensor]:
    return model.see(seen.estimate, seen.known, seen.noise, seen.condition)


@pytest.mark.parametrize("preset", ARCHITECTURES)
def test_presets_are_consistent(preset: str) -> None:
    architecture = ARCHITECTURES[preset]
    per_stride = (architecture.widths, architecture.generator_widths, architecture.latents, architecture.flow_widths)
    lengths = {len(part) for part in per_stride}
    assert lengths == {len(architecture.encoder_blocks)} == {len(architecture.decoder_blocks)}
    with torch.device("meta"):
        VaeGan(3, architecture, CONDITION_SIZE)


@pytest.mark.parametrize(("preset", "share"), [("tiny", 1.0), ("small", 1.0), ("base", 0.4), ("large", 1 / 6)])
def test_wider_networks_make_shorter_steps(preset: str, share: float) -> None:
    assert rate_by_width(ARCHITECTURES[preset].widths, ARCHITECTURES["small"].widths) == pytest.approx(share)


@pytest.mark.parametrize(("preset", "millions"), [("small", (1, 4)), ("base", (6, 12)), ("large", (50, 75))])
def test_presets_have_the_sizes_that_they_promise(preset: str, millions: tuple[int, int]) -> None:
    with torch.device("meta"):
        model = VaeGan(1, ARCHITECTURES[preset], CONDITION_SIZE)
    assert millions[0] < sum(p.numel() for p in model.parameters()) / 1e6 < millions[1]


def test_an_untrained_mean_is_the_first_estimate() -> None:
    model, seen = networks(), observation()
    mean, _ = model.mean(seen.estimate, see(model, seen), seen.condition)
    assert torch.equal(mean, seen.estimate)


def test_untrained_latents_tell_something_already() -> None:
    model, seen = networks(), observation()
    made = model.generator.reconstruct(see(model, seen), model.see_truth(seen.image), seen.condition)
    assert all(divergence.min() > 0 for divergence in made.divergences)
    assert len(made.divergences) == sum(count > 0 for count in ARCHITECTURES["tiny"].latents)


def test_a_hot_spot_does_not_throw_the_latents_out_of_proportion() -> None:
    model, seen = networks(), observation()
    truth = seen.image.clone()
    truth[..., 0, 0] = 1e4
    noise = model.generator.encode(see(model, seen), model.see_truth(truth), seen.condition)
    assert all(level.abs().max() <= LARGEST_SHIFT * 1.001 for level in noise)
    assert noise[0].abs().max() > 0


def test_closed_levels_have_no_divergence_whatever_the_posterior_says() -> None:
    model, seen = networks(), observation()
    made = model.generator.reconstruct(see(model, seen), model.see_truth(seen.image), seen.condition, active=1)
    assert made.divergences[0].min() > 0
    assert all((divergence == 0).all() for divergence in made.divergences[1:])


def test_divergence_is_that_of_two_normal_distributions() -> None:
    parameters = [torch.randn(3, 4, 2, 2) for _ in range(4)]
    q, p = (parameters[0], parameters[1]), (parameters[2], parameters[3])
    expected = torch.distributions.kl_divergence(
        torch.distributions.Normal(q[0], q[1].exp()), torch.distributions.Normal(p[0], p[1].exp())
    )
    torch.testing.assert_close(gaussian_divergence(q, p), expected.flatten(1).sum(1), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_samples_have_the_shape_of_the_image(channels: int) -> None:
    model, seen = networks(channels), observation(channels)
    assert model.generator.sample(see(model, seen), seen.condition).shape == seen.image.shape


def test_the_error_head_reads_the_features_without_changing_them() -> None:
    model, seen = networks(), observation()
    _, log_error = model.mean(seen.estimate, see(model, seen), seen.condition)
    log_error.sum().backward()
    assert all(p.grad is None or not p.grad.any() for p in model.encoder.parameters())
    assert any(p.grad is not None and p.grad.any() for p in model.mean_decoder.error.parameters())


def test_spectral_normalisation_bounds_every_layer_of_the_discriminator() -> None:
    torch.manual_seed(0)
    critic = Discriminator(1, (8, 16, 16))
    image, known = torch.rand(2, 1, 32, 32), torch.ones(2, 1, 32, 32)
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.mul_(10)
        for _ in range(50):  # the power iteration converges while it trains
            critic(critic.view(image), image, known)
    norms = [
        torch.linalg.matrix_norm(module.weight.flatten(1), ord=2).item()
        for module in critic.modules()
        if isinstance(module, torch.nn.Conv2d)
    ]
    assert max(norms) < 1.05
    assert len(norms) > 4


def test_spectral_normalisation_can_be_switched_off() -> None:
    critic = Discriminator(1, (8, 16, 16), spectral_normalisation=False)
    assert not any("parametrizations" in name for name, _ in critic.named_parameters())


def test_the_discriminator_judges_at_several_strides() -> None:
    critic = Discriminator(2, (8, 16, 16, 16))
    image = torch.rand(2, 2, 64, 64)
    verdicts, features = critic(critic.view(image), torch.rand(2, 2, 64, 64), torch.ones(2, 1, 64, 64))
    assert [64 // verdict.shape[-1] for verdict in verdicts] == [4, 8, 16]
    assert len(features) == 3


def test_the_discriminator_sees_faint_grain_as_well_as_strong_grain() -> None:
    torch.manual_seed(0)
    strong = torch.randn(4, 1, 32, 32)
    views = []
    for strength in (1.0, 0.001):
        critic = Discriminator(1, (8, 16, 16))
        critic.adapt(strength * strong)
        views.append(critic.view(strength * strong))
    torch.testing.assert_close(views[0][:, 1:], views[1][:, 1:])
    assert views[1][:, 1:].std() > 100 * views[1][:, :1].std()


def test_the_scale_of_details_follows_real_images_slowly() -> None:
    critic = Discriminator(1, (8, 16, 16))
    grain = torch.randn(4, 1, 32, 32)
    critic.adapt(grain)
    first = critic.detail_scale.clone()
    critic.adapt(3 * grain)
    torch.testing.assert_close(critic.detail_scale, 1.02 * first)


def test_texture_is_drawn_for_every_pixel_and_no_image_tells_it() -> None:
    torch.manual_seed(0)
    networks = VaeGan(1, ARCHITECTURES["tiny"], CONDITION_SIZE)
    generator = networks.generator
    for part in (generator.full_resolution.texture, generator.full_resolution.residual):
        torch.nn.init.normal_(part.weight)
    image, condition = torch.rand(1, 1, 32, 32), torch.zeros(1, CONDITION_SIZE)
    seen = networks.see_truth(image)
    noise = generator.encode(seen, seen, condition)
    assert noise[-1].numel() == image.numel()
    assert not noise[-1].any()
    smooth = generator.sample(seen, condition, lambda level, like: noise[level])
    noise[-1] = torch.randn_like(noise[-1])
    grainy = generator.sample(seen, condition, lambda level, like: noise[level])
    assert ((grainy - smooth) != 0).float().mean() > 0.9


def test_the_last_part_of_the_generator_makes_no_grid() -> None:
    torch.manual_seed(0)
    part = FullResolution(1, 16)
    for weight in part.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    image = part(torch.randn(1, 16, 1, 1).expand(1, 16, 8, 8), None)
    middle = image[..., 2:-2, 2:-2]  # both convolutions reach one pixel across the edge
    torch.testing.assert_close(middle, middle[..., :1, :1].expand_as(middle))
    assert middle.abs().max() > 0.01
