"""The whole loop on one task: train, read the space, choose, derive, export, predict, compare."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
from tqdm import tqdm

from vdroppath_tf.cost import unit_costs
from vdroppath_tf.data.catalog import Manifest
from vdroppath_tf.data.clips.pipeline import FaultLog, VideoCache, evaluation_clips, training_clips
from vdroppath_tf.data.clips.protocols import PROTOCOLS
from vdroppath_tf.derivation import derive
from vdroppath_tf.experiments.answers import answers_in_fresh_process
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.report.findings import mean_on
from vdroppath_tf.report.records import DRAWN, STAND_ALONE, Draw, Prediction, Row, TaskReport
from vdroppath_tf.scoring.batch_statistics import recalibrate
from vdroppath_tf.scoring.best_set import confidence_set
from vdroppath_tf.scoring.evaluate import (
    EvaluationOptions,
    StrategyScore,
    StrategyScores,
    evaluate_strategies,
)
from vdroppath_tf.scoring.intervals import optimism
from vdroppath_tf.scoring.uniform import UNIFORM, controls
from vdroppath_tf.scoring.videos import score_videos
from vdroppath_tf.serving.export import export_saved_model
from vdroppath_tf.serving.predict import write_sampling
from vdroppath_tf.spaces.gate_arrays import Gates
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.spaces.unit import FusionUnit
from vdroppath_tf.training import Clips, Recipe, build_derived, build_template, summary, train
from vdroppath_tf.training.recipe import Phase

UNIFORM_DRAWS = 2
CACHE_BYTES = 2**30
_BATCH = 64  # clips that are scored at a time


@dataclasses.dataclass(frozen=True)
class Task:
    """Labelled videos in three parts, and what is in them in plain words."""

    name: str
    description: str
    train: Manifest
    validation: Manifest
    test: Manifest


class Loop:
    """Runs a task through everything and keeps what a report needs.

    Args:
        task: the videos.
        recipe: the run.
        folder: where everything is written.
        draws: strategies drawn from the space and scored on the validation clips.
        shown: held-out clips the served network answers in the report.
        say: prints a line.
        place: row of its progress bars, where several loops run at a time.
    """

    def __init__(
        self,
        task: Task,
        recipe: Recipe,
        folder: Path,
        *,
        draws: int = 24,
        shown: int = 8,
        say: Callable[[str], None] = print,
        place: int = 0,
    ) -> None:
        self.place = place
        self.task, self.recipe, self.folder = task, recipe, folder
        self.draws, self.shown, self.say = draws, shown, say
        self.cache = VideoCache(CACHE_BYTES)
        self.clips = Clips(task.train, cache=self.cache)
        self.faults = FaultLog()
        self.timings: dict[str, float] = {}

    def run(self) -> TaskReport:
        """All steps, with an account of each."""
        template, history = self.learn()
        space = ProbabilitySpace.from_model(template)
        space.save(self.folder / "space.json")
        template.save(self.folder / "template.keras")
        scores = self._draw(template, space)
        chosen = scores.best.strategy
        there = [unit for unit in UNIFORM if {*FusionUnit(unit).branches} <= {*space.branches}]
        rows = [self._alone(unit, len(space)) for unit in there]
        drawn = {"mode": space.mode(), "best draw": chosen, **self._uniform_draws(space)}
        rows += self._drawn_rows(template, drawn)
        network = self._derive(template, chosen)
        rows.append(self._served_row(network, chosen))
        predictions = self._serve(network)
        return TaskReport(
            name=self.task.name,
            description=self.task.description,
            space=space,
            rows=rows,
            chosen=chosen,
            classes=self.task.train.num_classes,
            clips=self.faults.scored(self.task.test, "validation"),
            chosen_on_same_clips=False,
            draws=self._scored(scores),
            history=history,
            predictions=predictions,
            settings=self._settings(),
            timings=self.timings,
        )

    def learn(self) -> tuple[FusionModel, list[Gates]]:
        """The trained template, and its drop probabilities at the start and after every epoch."""
        phases = self.recipe.template_phases()
        epochs = " + ".join(f"{phase.epochs} {phase.name}" for phase in phases)
        self.say(f"Training the template on {len(self.task.train)} clips ({epochs} epochs).")
        template = build_template(self.recipe, self.clips)
        shape = self._evaluation(self.task.test).element_spec[0].shape[1:4]
        self.costs = unit_costs(template, tuple(shape))
        start = ProbabilitySpace.from_model(template).drop
        with self._timed("train the template"):
            log = self._train(template, phases, "template")
        searched = [entry["drop"] for entry in log if entry["phase"] == self.recipe.search.name]
        on = mean_on(ProbabilitySpace.from_model(template))
        self.say(
            f"Read the space: {', '.join(f'P({b} on) {mean:.2f}' for b, mean in on.items())} on "
            f"average; all started at {1.0 - self.recipe.initial_drop:.2f}."
        )
        return template, [start, *searched]

    def _draw(self, template: FusionModel, space: ProbabilitySpace) -> StrategyScores:
        drawn = list(
            dict.fromkeys([space.mode(), *space.sample(self.draws, seed=self.recipe.seed)])
        )
        self.say(
            f"Scoring {len(drawn)} strategies (the mode, and {self.draws} draws without repeats) "
            f"on {len(self.task.validation)} validation clips, none of them trained."
        )
        with self._timed("score the draws"):
            scores = self.scores(template, drawn, self.task.validation)
        answers = scores.answers([score.strategy for score in scores])
        self.say(
            f"Best draw: {scores.best.strategy}, top-1 {scores.best.top1:.3f}; as the best of "
            f"{len(drawn)} its selection bias is about {optimism(answers):.3f}. In the 95 % "
            f"confidence set of the best: {len(confidence_set(answers))} of {len(drawn)}."
        )
        return scores

    def _scored(self, scores: StrategyScores) -> list[Draw]:
        """The draws for the report, with their costs, and whether they may be the best."""
        best = confidence_set(scores.answers([score.strategy for score in scores]))
        return [
            Draw.of(score, self.costs.of(score.strategy)[1], k in best)
            for k, score in enumerate(scores)
        ]

    def _uniform_draws(self, space: ProbabilitySpace) -> dict[str, FusionStrategy]:
        """Controls that the space did not learn."""
        named = controls(space, UNIFORM_DRAWS, self.recipe.seed)
        return {name: strategy for name, strategy in named.items() if "draw" in name}

    def scores(
        self, template: FusionModel, strategies: list[FusionStrategy], videos: Manifest
    ) -> StrategyScores:
        """Accuracy of strategies with the template's weights, batch norm recalibrated for each."""
        with self._bar(unit=" passes", desc="strategies") as bar:
            return evaluate_strategies(
                template,
                strategies,
                self._evaluation(videos),
                train_clips=self._training(),
                options=EvaluationOptions(on_strategy=lambda: bar.update(1)),
            )

    def _alone(self, unit: str, layers: int) -> Row:
        """A uniform network trained on its own, as long as the template."""
        strategy = FusionStrategy.uniform(unit, layers)
        self.say(f"Training {unit} everywhere on its own, equally long, for comparison.")
        network = build_derived(self.recipe, self.clips, strategy)
        with self._timed(f"train {unit} everywhere"):
            self._train(network, self.recipe.alone_phases(), unit)
        score = self._accuracy(network, strategy)
        self.say(f"{unit} everywhere: top-1 {score.top1:.3f} on {score.clips} held-out clips.")
        return self._row(f"{unit} everywhere", score, STAND_ALONE)

    def _drawn_rows(self, template: FusionModel, named: dict[str, FusionStrategy]) -> list[Row]:
        scores = self.scores(template, list(named.values()), self.task.test)
        rows = []
        for name, score in zip(named, scores, strict=True):
            self.say(f"{name}: {score.strategy}, top-1 {score.top1:.3f} on held-out clips.")
            rows.append(self._row(name, score, DRAWN))
        return rows

    def _derive(self, template: FusionModel, chosen: FusionStrategy) -> FusionModel:
        keras.utils.set_random_seed(self.recipe.seed)  # of the dropout
        network = derive(template, chosen, dropout=self.recipe.finetune_dropout)
        recalibrate(network, self._training())
        if self.recipe.finetune is not None:
            with self._timed("fine-tune the derived network"):
                self._train(network, (self.recipe.finetune,), "finetune")
        return network

    def _served_row(self, network: FusionModel, chosen: FusionStrategy) -> Row:
        tuned = self.recipe.finetune
        note = f"derived, {tuned.epochs} epochs of fine-tuning" if tuned else "derived"
        score = self._accuracy(network, chosen)
        self.say(f"The derived network ({note}): top-1 {score.top1:.3f} on held-out clips.")
        return self._row("best draw, derived", score, note)

    def _serve(self, network: FusionModel) -> list[Prediction]:
        """Exports, and asks a fresh process what the SavedModel says of held-out files."""
        served = self.folder / "served" / "1"
        export_saved_model(network, served, labels=self.task.train.labels, overwrite=True)
        write_sampling(served, self.recipe.evaluation)
        with self._timed("serve in a fresh process"):
            predictions = answers_in_fresh_process(served, self.task.test, self.shown)
        right = sum(p.label == p.predicted for p in predictions)
        self.say(f"Served in a fresh process: {right} of {len(predictions)} shown clips right.")
        return predictions

    def _train(self, model: FusionModel, phases: tuple[Phase, ...], name: str) -> list[Any]:
        steps = sum(phase.epochs for phase in phases) * (
            len(self.task.train) // self.recipe.batch_size
        )
        with self._bar(total=steps, unit=" steps", desc=name) as bar:
            return train(
                model,
                phases,
                self.recipe,
                self.clips,
                folder=self.folder / "runs" / name.replace("+", "-"),
                on_step=lambda: bar.update(1),
            )

    def _bar(self, *, desc: str, **options: Any) -> tqdm:
        name = f"{self.task.name}: {desc}"
        return tqdm(desc=name, leave=False, position=self.place, **options)

    def _evaluation(self, videos: Manifest) -> Any:
        return evaluation_clips(
            videos,
            self.recipe.evaluation,
            batch_size=_BATCH,
            cache_bytes=self.cache,
            faults=self.faults,
        )

    def _training(self) -> Any:
        return training_clips(
            self.task.train,
            self.recipe.sampling,
            batch_size=self.recipe.batch_size,
            seed=self.recipe.seed,
            cache_bytes=self.cache,
            faults=self.faults,
        )

    def _accuracy(self, network: FusionModel, strategy: FusionStrategy) -> StrategyScore:
        """A network on the held-out videos, one clip each, as strategies are scored."""
        found = score_videos(
            network,
            self.task.test,
            self.recipe.evaluation,
            PROTOCOLS["paper-1clip"],
            batch_size=_BATCH,
            cache=self.cache,
            faults=self.faults,
        )
        return StrategyScore(strategy, found.top1, found.top5, found.scored)

    def _row(self, name: str, score: StrategyScore, note: str) -> Row:
        parameters, macs = self.costs.of(score.strategy)
        top5 = score.top5 if self.task.train.num_classes > 5 else None
        error = score.standard_error
        text = str(score.strategy)
        return Row(name, text, score.top1, error, parameters, macs, top5, note)

    def _settings(self) -> dict[str, str]:
        """What was chosen, for the report."""
        task = self.task
        parts = ("training", task.train), ("validation", task.validation), ("test", task.test)
        videos = ", ".join(f"{len(videos)} {name}" for name, videos in parts)
        return {"videos": videos, **summary(self.recipe), "draws": str(self.draws)}

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.timings[step] = self.timings.get(step, 0.0) + time.perf_counter() - start
