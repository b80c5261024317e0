"""Keras layers that params.yaml may name: they take one tensor and need nothing but numbers and texts."""

import keras

_RANKED = (  # with 1D and 2D and 3D at the end, as far as Keras has them
    "AdaptiveAveragePooling AdaptiveMaxPooling AveragePooling Conv ConvLSTM Cropping DepthwiseConv "
    "GlobalAveragePooling GlobalMaxPooling MaxPooling SeparableConv SpatialDropout UpSampling ZeroPadding"
)
_OTHERS = (
    "Activation ActivityRegularization AlphaDropout AugMix AutoContrast BatchNormalization CenterCrop "
    "ContrastLimitedAdaptiveHistogramEqualization Conv1DTranspose Conv2DTranspose Conv3DTranspose Dense "
    "Dropout ELU EinsumDense Flatten GRU GaussianDropout GaussianNoise GroupNormalization "
    "Identity LSTM LayerNormalization LeakyReLU Normalization PReLU Permute RMSNormalization RandAugment "
    "RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast "
    "RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHue "
    "RandomInvert RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness "
    "RandomShear RandomTranslation RandomZoom ReLU RepeatVector Rescaling Reshape Resizing SimpleRNN "
    "Softmax Solarization UnitNormalization"
)
CLASSES = {*_OTHERS.split(), *(f"{name}{rank}D" for name in _RANKED.split() for rank in (1, 2, 3))}
_REASONS = {  # of the layers that are left out
    "it runs code, or loads it from a file": "FlaxLayer JaxLayer Lambda TFSMLayer TorchModuleWrapper",
    "it must be adapted to data before the training": (
        "Discretization IntegerLookup StringLookup TextVectorization"
    ),
    "it contains other layers, which params.yaml lists one by one": (
        "Bidirectional Pipeline RNN SpectralNormalization StackedRNNCells TimeDistributed Wrapper"
    ),
    "it mixes the labels of images as well": "CutMix MixUp",
    "Keras cannot compile it for any number of images": "Equalization RandomCrop",
    "the loss would have to skip what it masks": "Masking",
    "the input of a network exists already": "InputLayer",
}
REFUSED = {name: reason for reason, names in _REASONS.items() for name in names.split()}
REFUSED |= dict.fromkeys(  # e.g. Add, Attention, Embedding, Hashing
    (
        name
        for name, value in vars(keras.layers).items()
        if isinstance(value, type)
        and issubclass(value, keras.layers.Layer)
        and value.__name__ not in CLASSES | REFUSED.keys()
    ),
    "it does not fit a chain of layers on images",
)
ALLOWED: dict[str, type] = {  # by every name that Keras has for a class
    name: value
    for name, value in vars(keras.layers).items()
    if isinstance(value, type) and value.__name__ in CLASSES
}
