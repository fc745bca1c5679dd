"""Stage 3: scores - ideology, quality, topic - by rules, an endpoint, a local model or people, and how far they agree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from pipelines.corpus import drafts, labels
from pipelines.corpus.annotate import prompts
from pipelines.corpus.annotate.local import NO_JUDGE
from pipelines.corpus.annotate.quality import RULES
from pipelines.corpus.drafts import Draft
from pipelines.corpus.engine import Tools
from pipelines.corpus.steps.scoring import Annotate, Weak
from pipelines.entries import number
from pipelines.errors import StudioError
from studio.tabs.curating import forms
from studio.tabs.curating.desk import Desk
from studio.tabs.curating.endpoint import Endpoint
from studio.telling import told
from studio.views import corpus as view
from studio.views import messages

WHO = [
    ("Offline: the ruler scores ideology, named rules score quality", "offline"),
    ("A language model behind an address (endpoint)", "endpoint"),
    ("The studio's own small model", "local model"),
]
LONGEST_LOCAL, MOST_PUBLIC = 200, 40


def build(desk: Desk) -> Endpoint:
    """Lays out the stage; returns the endpoint's fields, which writing pairs needs as well."""
    endpoint = Endpoint(desk.services)
    gr.HTML(
        messages.note(
            "Every post gets a score on two axes from -10 (left, progressive) to 10 (right, traditional) or “no stance”, a quality from 0 to 10, and a topic."
        ),
        padding=False,
    )
    who = gr.Radio(WHO, value="offline", label="Who scores", elem_id="annotator")
    with gr.Accordion("The rules for quality", open=False):
        gr.HTML(
            messages.table(["Rule", "Points", "What it looks for"], [[r.name, f"{r.points:+g}", r.sentence] for r in RULES], numbers=(1,)),
            padding=False,
        )
    with gr.Column(visible=False) as asking:
        weak = gr.HTML(messages.error(NO_JUDGE), visible=False, padding=False)
        with gr.Column(visible=False) as remote:
            endpoint.build()
        prompt = gr.Textbox(
            prompts.ANNOTATION, label="What the model is asked ({text} is the post, {topics} the list of topics)", lines=8, max_lines=24
        )
        estimate = gr.Button("Estimate calls and time (asks up to 16 posts as a trial)", size="sm", elem_id="estimate")
        expected = gr.HTML(padding=False, elem_id="estimated")
    with gr.Row():
        similarity = forms.build(Annotate, without=("annotator", "prompt"))
        weak_form = forms.build(Weak)
    score = gr.Button("Score, and drop what is off topic or weak", variant="primary", elem_id="score")
    report = gr.HTML(elem_id="label-report", padding=False)
    desk.act(score.click, _scorer(desk, endpoint), [who, prompt, *similarity, *weak_form, *endpoint.inputs], "score")
    desk.watch(_report, [report])
    shown = [asking, weak, remote]
    who.change(_for_annotator, who, shown, show_progress="hidden", api_visibility="private")
    estimate.click(
        _estimator(desk, endpoint),
        [desk.draft, who, prompt, *endpoint.inputs],
        expected,
        concurrency_id="curation",
        api_visibility="private",
    )
    return endpoint


def _refuse_visitors(desk: Desk, who: str) -> None:
    """Raises StudioError where a public studio's visitors may not have this one score."""
    if who != "offline":
        desk.services.access.refuse("endpoints" if who == "endpoint" else "measure")


def _for_annotator(who: str) -> list[Any]:
    return [gr.update(visible=who != "offline"), gr.update(visible=who == "local model"), gr.update(visible=who == "endpoint")]


def _scorer(desk: Desk, endpoint: Endpoint) -> Any:
    def work(draft: Draft, tools: Tools, who: str, prompt: str, *values: Any) -> tuple[Draft, str]:
        size = len(forms.names(Weak))
        step = Annotate(
            who,
            number(values[0], "The least similarity"),
            "" if who == "offline" or prompt.strip() == prompts.ANNOTATION.strip() else prompt,
        )
        weak = forms.read(Weak, values[1 : 1 + size])
        if draft.kind != "posts":
            raise StudioError(
                "Scores are for posts; these rows are pairs already.", "Go on with “Check”, or go back to before “Score” (“Back to” above)."
            )
        if draft.has("annotate"):
            raise StudioError("These posts are scored already.", "To score them anew, go back to before “Score” first (“Back to” above).")
        _refuse_visitors(desk, who)
        if desk.services.public and who != "offline" and (len(draft.rows) > MOST_PUBLIC or step.prompt):
            raise StudioError(
                f"In this public studio a model reads at most {MOST_PUBLIC} posts, with our own prompt.",
                "Score offline, or run the studio on your laptop.",
            )
        if who == "endpoint":
            tools.client = endpoint.client(tools.paths, *values[1 + size :])
        if who == "local model" and len(draft.rows) > LONGEST_LOCAL:
            raise StudioError(
                f"The small model would need too long for {len(draft.rows):,} posts.",
                f"It takes up to {LONGEST_LOCAL}; select fewer first, or score offline.",
            )
        scored = drafts.apply(draft, step, replace(tools, progress=lambda share, words: tools.progress(0.95 * share, words)))
        kept = drafts.apply(scored, weak, tools)
        return kept, f"Scored {len(scored.rows):,} posts; {len(kept.rows):,} are left."

    return work


def _report(draft: Draft | None) -> tuple[str]:
    """Precision and recall against our own labels, for rows that carry some."""
    if draft is None or not labels.labelled(draft):
        return ("",)
    return (view.labels(labels.of_steps(draft), labels.of_sides(draft), draft.opened["reference"].startswith("bundled")),)


def _estimator(desk: Desk, endpoint: Endpoint) -> Any:
    def estimate(draft_id: str, who: str, prompt: str, *fields: Any) -> str:
        from pipelines.corpus.annotate.endpoint import EndpointAnnotator

        draft = desk.find(draft_id)
        try:
            if draft is None:
                raise StudioError("Nothing is open yet.", "Open some posts first.")
            if draft.kind != "posts":
                raise StudioError("The posts are paired already.", "To score anew, go back to before “Score” (“Back to” above).")
            _refuse_visitors(desk, who)
            if desk.services.public and who == "endpoint":
                raise StudioError("A trial asks the endpoint.", "In a public studio only “Score” does.")
            if who != "endpoint":
                return messages.note(f"{len(draft.rows):,} posts on this machine, about {len(draft.rows) * 3:,} s on two cores.")
            annotator = EndpointAnnotator(endpoint.client(desk.services.paths, *fields), prompt)
            texts = [row["text"] for row in draft.rows.rows(["text"])]
            return messages.info(annotator.estimate(texts, probe=True).sentence)
        except Exception as error:
            return told(error)

    return estimate
