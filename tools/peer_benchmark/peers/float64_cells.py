"""The recurrent cells in float64, forward and backward by hand; a is x_t W + b, z is h_{t-1} U + b'.

  SimpleRNN  h_t = tanh(a + z)
  LSTM       i, f, o = sigmoid and c' = tanh of blocks of a + z; c_t = f c_{t-1} + i c',
             h_t = o tanh(c_t)
  GRU        u = sigmoid(a_u + z_u), r = sigmoid(a_r + z_r), c' = tanh(a_c + r z_c),
             h_t = u h_{t-1} + (1 - u) c'; the reset comes after the product

Blocks are in the order of `gates` in common.py. `forward` takes a, z and the state, a tuple of `parts`
that begins with h, and returns the next state and what `backward` needs. `backward` takes the
gradients of that next state and returns those of a, of z, and of the state apart from its way
through U.
"""

import numpy as np


def _sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def _side_by_side(*blocks):
    return np.concatenate(blocks, axis=1)


class SimpleRnn:
    parts = 1

    @staticmethod
    def forward(a, z, state):
        del state
        h = np.tanh(a + z)
        return (h,), h

    @staticmethod
    def backward(d_state, saved):
        d = d_state[0] * (1.0 - saved ** 2)
        return d, d, (0.0,)


class Lstm:
    parts = 2

    @staticmethod
    def forward(a, z, state):
        i, f, candidate, o = np.split(a + z, 4, axis=1)
        i, f, candidate, o = _sigmoid(i), _sigmoid(f), np.tanh(candidate), _sigmoid(o)
        c = f * state[1] + i * candidate
        return (o * np.tanh(c), c), (i, f, candidate, o, state[1], np.tanh(c))

    @staticmethod
    def backward(d_state, saved):
        i, f, candidate, o, c_before, tanh_c = saved
        d_h, d_c = d_state
        d_c = d_c + d_h * o * (1.0 - tanh_c ** 2)
        d = _side_by_side(d_c * candidate * i * (1.0 - i), d_c * c_before * f * (1.0 - f),
                          d_c * i * (1.0 - candidate ** 2), d_h * tanh_c * o * (1.0 - o))
        return d, d, (0.0, d_c * f)


class Gru:
    parts = 1

    @staticmethod
    def forward(a, z, state):
        (a_u, a_r, a_c), (z_u, z_r, z_c) = np.split(a, 3, axis=1), np.split(z, 3, axis=1)
        u, r = _sigmoid(a_u + z_u), _sigmoid(a_r + z_r)
        candidate = np.tanh(a_c + r * z_c)
        return (u * state[0] + (1.0 - u) * candidate,), (u, r, candidate, z_c, state[0])

    @staticmethod
    def backward(d_state, saved):
        u, r, candidate, z_c, h_before = saved
        d_h = d_state[0]
        d_u = d_h * (h_before - candidate) * u * (1.0 - u)
        d_c = d_h * (1.0 - u) * (1.0 - candidate ** 2)
        d_r = d_c * z_c * r * (1.0 - r)
        return _side_by_side(d_u, d_r, d_c), _side_by_side(d_u, d_r, d_c * r), (d_h * u,)


# By Keras's class.
CELLS = {"SimpleRNN": SimpleRnn, "LSTM": Lstm, "GRU": Gru}
