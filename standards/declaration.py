"""What a camera is declared to be, when it was designed, and which clauses therefore apply to it.

A clause is held against a camera only if its text stood on the governing date, if its condition is met by
what is declared (or taken for granted by the scheme), if its limit is known, and if the scheme accepts how
well it is known. Everything else is carried with its reason.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from standards.clause import Clause, Evidence
from standards.documents import Claim
from standards.files import read_toml
from standards.scheme import CameraDeclaration, Governing, Scheme
from standards.view import MaskRegion, Osd, Reference

__all__ = [
    "Applies", "Dates", "Declaration", "Governed", "applies", "governing_date", "load_declaration",
]  # fmt: skip


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Dates(_Strict):
    """Days that may govern which edition applies: design of the camera or system, contract, completion of
    the works, test. None: not declared."""

    design: date | None = None
    contract: date | None = None
    completion: date | None = None
    test: date | None = None


class Declaration(_Strict):
    """The declaration file: [camera], [dates], [[document]], [reference], [osd] and [[mask]], all optional."""

    camera: CameraDeclaration = CameraDeclaration()
    dates: Dates = Dates()
    document: tuple[Claim, ...] = ()
    reference: Reference | None = None
    osd: Osd = Osd()
    mask: tuple[MaskRegion, ...] = Field(default=(), max_length=16)

    @model_validator(mode="after")
    def _names(self) -> Declaration:
        names = [one.name for one in self.mask]
        if len(set(names)) < len(names):
            raise ValueError("two regions under [[mask]] have one name: rename one")
        return self

    def with_defaults(self, defaults: CameraDeclaration) -> Declaration:
        """What is declared, and the scheme's defaults where nothing is."""
        declared = self.camera.model_dump(exclude_none=True)
        camera = CameraDeclaration(**{**defaults.model_dump(exclude_none=True), **declared})
        return self.model_copy(update={"camera": camera})


class Applies(NamedTuple):
    """Whether a clause is to be run, and why not or what was taken for granted (both languages)."""

    applicability: Literal["run", "not_applicable", "not_run"]
    reason_en: str = ""
    reason_zh: str = ""


class Governed(NamedTuple):
    """The day whose texts apply, and why that day (both languages)."""

    date: date
    basis_en: str
    basis_zh: str


_DATES_ZH: dict[Governing, str] = {
    "design": "设计日期",
    "contract": "合同日期",
    "completion": "竣工日期",
    "test": "检验日期",
}
_KEYS_ZH = {
    "point_class": "视频点类别", "kind": "摄像机类型", "definition": "清晰度等级", "site": "安装场所",
    "card": "机内存储卡", "ptz": "云台", "audio": "音频", "platform": "接入平台", "high_risk": "高风险对象",
    "outsourced": "委托运营", "existing": "既有系统", "order_799": "国务院令第799号适用条款",
}  # fmt: skip
_VALUES_ZH: dict[str, str] = {
    "network": "网络", "analogue": "模拟", "sd": "标清", "quasi_hd": "准高清", "hd": "高清",
    "uhd": "超高清", "indoor": "室内", "outdoor": "室外", "True": "有", "False": "无",
}  # fmt: skip


def _value_zh(key: str, value: object) -> str:
    """A declared value as the report words it."""
    if key == "point_class":
        return f"{value}类"
    return f"第{value}条" if key == "order_799" else _VALUES_ZH[str(value)]


def load_declaration(path: Path | None) -> Declaration:
    """The declaration in a file; an empty one without a file. Raises BadFile."""
    return Declaration() if path is None else read_toml(path, Declaration)


def governing_date(scheme: Scheme, declaration: Declaration, given: date | None, today: date) -> Governed:
    """The day that decides which editions apply: the one given, else the declared one that the scheme
    names, else today (a test is made today; for any other date the basis says that none was declared)."""
    name = scheme.governed_by
    if given is not None:
        return Governed(given, "given on the command line", "由命令行给定")
    declared: date | None = getattr(declaration.dates, name)
    if declared is not None:
        return Governed(declared, f"{name} date of the declaration", f"声明的{_DATES_ZH[name]}")
    if name == "test":
        return Governed(today, "day of the test", "检验当日")
    return Governed(
        today,
        f"no {name} date declared: today's texts apply",
        f"未声明{_DATES_ZH[name]}，按当日有效文本",
    )


def applies(clause: Clause, declaration: Declaration, governing: date, scheme: Scheme) -> Applies:
    """Whether the scheme holds this clause against a camera so declared, on the governing date.

    not_applicable: the text did not stand that day, or its condition is not met. not_run: the declaration
    does not tell, the limit is unknown, or its grade is not accepted. Whether a procedure and its
    instruments are there is the plan's to say.
    """
    return (
        _by_date(clause, governing)
        or _by_condition(clause, declaration.camera, scheme)
        or _by_text(clause, scheme)
        or Applies("run", *_grounds(clause, declaration.camera, governing, scheme))
    )


def _by_date(clause: Clause, governing: date) -> Applies | None:
    if clause.in_force_on(governing):
        return None
    if clause.in_force is not None and governing < clause.in_force:
        return Applies(
            "not_applicable",
            f"not yet in force on {governing} (in force from {clause.in_force})",
            f"{governing}尚未实施（{clause.in_force}起实施）",
        )
    by_en = f" by {clause.superseded_by}" if clause.superseded_by else ""
    by_zh = f"被{clause.superseded_by}" if clause.superseded_by else "被"
    return Applies(
        "not_applicable",
        f"superseded{by_en} on {clause.superseded}; the governing date is {governing}",
        f"已于{clause.superseded}{by_zh}代替，适用日期为{governing}",
    )


def _by_condition(clause: Clause, camera: CameraDeclaration, scheme: Scheme) -> Applies | None:
    missing: list[str] = []
    for key, wanted in _conditions(clause):
        found = getattr(camera, key)
        if found is None:
            found = getattr(scheme.defaults, key)
        if found is None:
            missing.append(key)
        elif found not in wanted:
            want = ", ".join(str(w) for w in wanted)
            return Applies(
                "not_applicable",
                f"the clause is for {key} {want}; the camera is {found}",
                f"本条款适用于{_KEYS_ZH[key]}{'、'.join(_value_zh(key, w) for w in wanted)}，样品为{_value_zh(key, found)}",
            )
    if not missing:
        return None
    names_zh = "、".join(f"{_KEYS_ZH[key]}({key})" for key in missing)
    if clause.if_undeclared == "not_applicable":
        return Applies("not_applicable", f"{', '.join(missing)} not declared", f"未声明{names_zh}，不适用")
    return Applies("not_run", f"declare {', '.join(missing)}", f"未声明{names_zh}")


def _by_text(clause: Clause, scheme: Scheme) -> Applies | None:
    if not clause.limit.known and clause.evidence is Evidence.UNKNOWN:
        return Applies("not_run", "limit unknown: text required", "限值未知，待取得标准原文")
    if not clause.limit.known:
        return Applies("not_run", "the text sets no number to judge by", "条文未给出可判定的数值")
    if not scheme.accepts(clause):
        return Applies(
            "not_run",
            f"grade {clause.evidence} is not accepted by {scheme.name}: not judged",
            f"依据等级{clause.evidence}不为本方案接受，不作判定",
        )
    return None


def _grounds(clause: Clause, camera: CameraDeclaration, governing: date, scheme: Scheme) -> tuple[str, str]:
    """Why the clause applies: its text stood that day, and its condition is met, by what."""
    if clause.in_force is None:
        words_en = [f"first day not known, taken to have stood on {governing}"]
        words_zh = [f"实施日期未查明，按{governing}有效"]
    else:
        words_en, words_zh = [f"stood on {governing}"], [f"{governing}有效"]
    for key, _ in _conditions(clause):
        declared = getattr(camera, key)
        if declared is not None:
            words_en.append(f"{key} {declared} declared")
            words_zh.append(f"声明{_KEYS_ZH[key]}为{_value_zh(key, declared)}")
        else:
            granted = getattr(scheme.defaults, key)
            words_en.append(f"{key} {granted} taken for granted by {scheme.name}")
            words_zh.append(f"未声明，本方案默认{_KEYS_ZH[key]}为{_value_zh(key, granted)}")
    return "; ".join(words_en), "；".join(words_zh)


def _conditions(clause: Clause) -> list[tuple[str, tuple[object, ...]]]:
    """The keys the clause depends on, with the values it is for."""
    condition = clause.condition
    every = [(key, getattr(condition, key)) for key in _KEYS_ZH]
    return [(key, wanted) for key, wanted in every if wanted]
