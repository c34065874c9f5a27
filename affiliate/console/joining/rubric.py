"""How a program weighs applications: the weights, what others would mean for those who wait, and saving them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, g, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.wrappers.response import Response as BaseResponse
from wtforms import IntegerField
from wtforms.validators import InputRequired

from affiliate import formats
from affiliate.accounts import access
from affiliate.console import roles
from affiliate.console.blueprint import blueprint, show
from affiliate.console.forms import say_all
from affiliate.console.program.changes import last_changes
from affiliate.vetting import queries, rubric, service, words
from affiliate.vetting.queries import Waiting
from affiliate.vetting.rubric import Criterion, Rubric, Weighed
from affiliate.web import orm, request_now

SHOWN_MAX = 50
TRIED_MAX = 2_000
"""Applications that other weights are tried on while one waits, and how many of them stand in the list."""
_NEEDED = InputRequired(_l("Choose from 0 to 100."))


class RubricForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """The weight of each criterion, and from which score on what is suggested."""

    accept_from = IntegerField(_l("Suggest to accept from"), [_NEEDED])
    refuse_below = IntegerField(
        _l("Suggest to refuse below"), [_NEEDED], description=_l("Between the two the rules suggest to ask.")
    )

    def wanted(self) -> Rubric | None:
        """What was typed; null where something of it is wrong, which is said at its field."""
        if not self.validate_on_submit():
            return None
        weights = {each: self[each.value].data for each in Criterion}
        typed = Rubric(weights, self.accept_from.data, self.refuse_below.data)
        wrong = rubric.problems(typed)
        say_all(self, {name: [sentence] for name, sentence in wrong.items()})
        return None if wrong else typed


for _each in Criterion:
    setattr(RubricForm, _each.value, IntegerField(validators=[_NEEDED]))


@dataclass(frozen=True, slots=True)
class Effect:
    """What other weights would mean for an application that waits."""

    of: Waiting
    before: Weighed
    after: Weighed

    @property
    def is_other(self) -> bool:
        """Whether something else would be suggested."""
        return self.before.advice is not self.after.advice


@blueprint.get("/<slug>/rubric")
@access.console(*roles.SETTINGS)
def weights() -> str:
    """How applications are weighed."""
    used = queries.rubric_of(orm.session, program_id=g.program.id)
    told = {each.value: weight for each, weight in used.weights.items()}
    return _page(_form(data=told | {"accept_from": used.accept_from, "refuse_below": used.refuse_below}))


@blueprint.post("/<slug>/rubric/preview")
@access.console("manager")
def preview_weights() -> str | tuple[str, int]:
    """What the weights as typed would change for those who wait. Nothing is stored."""
    form = _form()
    wanted = form.wanted()
    if wanted is None:
        return _page(form), 422
    waiting = queries.waiting(orm.session, program_id=g.program.id, limit=TRIED_MAX + 1)
    return _page(form, effects=_effects(waiting[:TRIED_MAX], wanted), is_cut=len(waiting) > TRIED_MAX)


@blueprint.post("/<slug>/rubric")
@access.console("manager")
def save_weights() -> str | tuple[str, int] | BaseResponse:
    """Weigh by other weights from now on."""
    form = _form()
    wanted = form.wanted()
    if wanted is None:
        return _page(form), 422
    service.set_rubric(orm.session, program_id=g.program.id, wanted=wanted, actor=access.actor(), now=request_now())
    flash(_("Kept. Applications that wait are weighed anew."), "success")
    return redirect(url_for("console.weights"), 303)


def _form(**values: Any) -> RubricForm:
    form = RubricForm(formdata=None, **values) if values else RubricForm()
    for each in Criterion:
        form[each.value].label.text = words.criterion(each)
        form[each.value].description = words.meaning(each)
    return form


def _effects(waiting: Sequence[Waiting], wanted: Rubric) -> list[Effect]:
    """What it would mean for these; first those of whom something else would be suggested."""
    found = service.vetted(orm.session, program_id=g.program.id, enrollment_ids=[one.enrollment_id for one in waiting])
    effects = [
        Effect(one, vetted.weighed, vetted.weighed_by(wanted))
        for one in waiting
        if (vetted := found.get(one.enrollment_id)) is not None
    ]
    return sorted(effects, key=lambda effect: not effect.is_other)


def _page(form: RubricForm, *, effects: list[Effect] | None = None, is_cut: bool = False) -> str:
    return show(
        "joining/rubric.html",
        form=form,
        criteria=[form[each.value] for each in Criterion],
        effects=None if effects is None else [_line(one) for one in effects[:SHOWN_MAX]],
        others=sum(one.is_other for one in effects or ()),
        tried=TRIED_MAX if is_cut else None,
        more=max(len(effects or ()) - SHOWN_MAX, 0),
        trail=last_changes("rubric.set"),
    )


def _line(effect: Effect) -> dict[str, Any]:
    return {
        "name": effect.of.name,
        "url": url_for("console.weighed", partner_id=effect.of.partner_id),
        "before": _told(effect.before),
        "after": _told(effect.after),
        "is_other": effect.is_other,
    }


def _told(weighed: Weighed) -> dict[str, Any]:
    score = "–" if weighed.score is None else formats.number(weighed.score)
    return {"score": score, "sign": words.advice(weighed.advice)}
