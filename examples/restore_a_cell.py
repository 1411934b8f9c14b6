"""Train on one part of a phase-contrast image of cells, and restore another part."""

import numpy as np
from skimage.data import cell

import napari_vaegan as nv

image = cell()
seen, unseen = image[:400], image[430:630, 100:300]

# A real model needs minutes: nv.TrainingConfig(preset="small", minutes=10), and a folder instead of an array.
model = nv.train(seen, nv.TrainingConfig(preset="tiny", steps=20))
model.save("cells.vaegan", overwrite=True)
model = nv.load("cells.vaegan")

mask = np.zeros(unseen.shape, bool)
mask[80:110, 60:140] = True
filled = model.inpaint(unseen, mask, samples=4)
finer = model.super_resolve(unseen, factor=2, samples=4)
clean = model.denoise(unseen, samples=4)
imagined = model.generate(2, shape=(128, 128))

low, high = filled.interval(0.9)
print(f"{model}: filled {mask.sum()} pixels, 90 % of them within ±{(high - low)[mask].mean() / 2:.0f} grey levels")
print(f"refined to {finer.image.shape}, cleaned {clean.image.shape}, imagined {imagined.shape} {imagined.dtype}")
