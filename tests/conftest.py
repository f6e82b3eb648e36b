"""How much the property tests try: by default, and where each mutant runs them."""

from hypothesis import Phase, settings

settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile(
    "mutants",
    deadline=None,
    max_examples=25,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # one failure is enough; it need not be a small one
)
settings.load_profile("default")
