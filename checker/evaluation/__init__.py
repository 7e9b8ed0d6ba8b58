"""How well verdicts hold on labelled posts: metrics, intervals, tables and pages."""
