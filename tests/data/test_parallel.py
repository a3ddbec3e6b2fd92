"""What threads work ahead on comes in order, a few at a time."""

from __future__ import annotations

import pytest

from vdroppath_tf.data.parallel import map_ahead


class TestMapAhead:
    @pytest.mark.parametrize("count", [0, 1, 3, 100])
    def test_order(self, count: int) -> None:
        assert list(map_ahead(lambda k: 2 * k, range(count), workers=3)) == [
            2 * k for k in range(count)
        ]

    def test_takes_few_at_a_time(self) -> None:
        taken = []

        def items() -> object:
            for k in range(1000):
                taken.append(k)
                yield k

        results = map_ahead(str, items(), workers=2)  # type: ignore[arg-type]
        assert next(results) == "0"
        assert len(taken) < 20
        results.close()  # type: ignore[attr-defined]

    def test_an_error_comes_out(self) -> None:
        with pytest.raises(ZeroDivisionError):
            list(map_ahead(lambda k: 1 / k, [1, 2, 0, 4]))
