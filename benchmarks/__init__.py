"""What the product costs beside its peers, measured in one run on one machine, as ratios.

    python -m benchmarks [--only ledger --only start-up] [--quick]

Each row names its peer, its goal (DESIGN section 9) and what was measured; results are kept as JSON under
`benchmarks/results/`. Never run as tests: a busy machine is no failure.
"""
