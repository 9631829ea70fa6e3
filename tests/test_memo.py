"""The memo: what it remembers and for how long."""

from varka.base.memo import Memo


class Value:
    """Compared by identity, as domain values are."""


def leaf(value: Value) -> Value:
    return Value()


def branch(memo: Memo, value: Value) -> tuple[Value, Value]:
    return value, memo(leaf, value)


def filled(memo: Memo, entries: int) -> None:
    for _ in range(entries):
        memo(leaf, Value())


def test_equal_arguments_give_the_same_object() -> None:
    memo, value = Memo(), Value()
    assert memo(leaf, value) is memo(leaf, value)
    assert memo(leaf, Value()) is not memo(leaf, Value())
    assert memo.made == {f"{__name__}.leaf": 3}


def test_what_is_not_asked_for_is_dropped() -> None:
    memo, value = Memo(), Value()
    first = memo(leaf, value)
    for _ in range(2):
        filled(memo, 20_000)
        memo.turn()
    assert memo(leaf, value) is not first


def test_what_a_kept_result_was_made_from_is_kept_with_it() -> None:
    memo, value = Memo(), Value()
    inner = memo(branch, memo, value)[1]
    for _ in range(4):
        filled(memo, 20_000)
        memo.turn()
        memo(branch, memo, value)
    assert memo(leaf, value) is inner


def test_small_changes_drop_nothing() -> None:
    memo, value = Memo(), Value()
    first = memo(leaf, value)
    for _ in range(10):
        memo.turn()
        filled(memo, 10)
    assert memo(leaf, value) is first


def pair(first: object, second: object = None, *more: object) -> tuple[object, ...]:
    return (first, second, *more)


def test_arguments_with_names_are_not_taken_for_others() -> None:
    memo = Memo()
    assert memo(pair, 1, second=2) == (1, 2)
    assert memo(pair, 1, ("second", 2)) == (1, ("second", 2))


def test_functions_of_one_name_are_counted_apart() -> None:
    class Other:
        @staticmethod
        def leaf() -> int:
            return 1

    memo = Memo()
    memo(leaf, Value())
    memo(Other.leaf)
    assert sorted(memo.made.values()) == [1, 1]
