from index.embed.onnx import batches


def test_batches_hold_texts_of_like_length_within_the_budget():
    lengths = [250, 10, 120, 130, 12, 8, 300]
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    found = batches(order, lengths)
    assert [[6], [0], [3], [2, 4], [1, 5]] == found
