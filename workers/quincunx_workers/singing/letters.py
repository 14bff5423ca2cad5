"""English spelling to sounds for words no dictionary has: names, made-up words, la-la-la.

Rules `left(letters)right sounds` are tried in order at each letter; left and right are regular expressions around the
letters, `^` and `$` the ends of the word, C any consonant letter, V any vowel letter. The first that fits is taken.
They get the common case of each spelling right, not English.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

_RULES = """
^(a)$ ah|(a)[bdhlmnr]a aa|a[bdhlmnr](a)$ aa|(a)[bcdfgkpt]le$ ey|(augh)t ao|(augh) ae f|(au) ao|(aw) ao
(air) eh r|(ai) ey|(ay) ey|(ae) iy|^(are)$ aa r|(are)$ eh r
(arr)V ae r|(ar)V eh r|w(ar) ao r|(ar) aa r|(al)k ao|(all)$ ao l|(al)t ao l|(al)[mf]$ aa|(a)tion ey
(able)$ ah b ah l
(a)C[eiy]$ ey|(a)Ces$ ey|(a)Ced$ ey|(a)Cing$ ey|(a)st[ey]$ ey|(ange)$ ey n jh|(aa) aa|(ah) aa|^w(a)[tsn] aa
(a)$ ah|(a) ae
(bb) b|m(b)$ |(b) b
(cch) k|(ch)[rl] k|(ch) ch|(ck) k|s(ch) k|(cc)[eiy] k s|(cc) k|s(c)[eiy] |(ci)[ao] sh|(c)[eiy] s|(cq) k|(c) k
(dge) jh|(dg) jh|(dd) d|(d) d
^(e)$ iy|(eau) ow|(ear)C er|(ear) ih r|(ea)[dl]th eh|(ead)$ eh d|(ea) iy|(eer) ih r|(ee) iy|(eigh) ey|c(ei) iy
(ei) ey
(eu) uw|^(ew) y uw|[rlj](ew) uw|(ew) y uw|(ey)$ iy|(ey) ey|(err) eh r|(ere)$ ih r|(er)V eh r|(er) er
[td](ed)$ ah d
[pkfscx](ed)$ t|sh(ed)$ t|ch(ed)$ t|V.*(ed)$ d|(e)Ce$ iy|^C*(e)$ iy|[cgsxz](es)$ ih z|[cs]h(es)$ ih z|(es)$ z
V.*(e)$ |V.*(e)ly$ |V.*(e)less$ |V.*(e)ful |(e) eh
(ff) f|(f) f
(ght) t|^(gh) g|(gh) |^(gn) n|(gn)$ n|(gg) g|(gue)$ g|(gu)[ei] g|n(g)$ |^(g)i[rlfv] g|^(g)e[tr] g|(ge)$ jh
(g)[eiy] jh|(g) g
^(h)our |V(h)$ |V(h)C |[rgk](h) |(h) hh
^(i)$ ay|(igh) ay|(ign)$ ay n|(ield) iy l d|(ie)ve iy|^C(ie)s?$ ay|^CC(ie)s?$ ay|(ie)s?$ iy|(ie) iy
(ire)$ ay er|(ir) er
(ique)$ iy k|(ine)$ iy n|(ive)$ ih v|(i)C[e]$ ay|(i)Ces$ ay|(i)Ced$ ay|(i)Cing$ ay|(i)nd$ ay|(i)ld$ ay
(i)[ao] iy|(i)$ iy
(ison)$ ih s ah n|(i) ih
(j) jh
^(kn) n|(kk) k|(kh) k|(k) k
(ll) l|C(le)$ ah l|C(les)$ ah l z|(l) l
(mm) m|(mn)$ m|(m) m
(ng)$ ng|(ng)[eiy] n jh|(ng)[rla] ng g|(ngs)$ ng z|(n)k ng|(n)x ng|(nn) n|(n) n
^(o)$ ow|(oa) ow|(oe)$ ow|(oi) oy|(oy) oy|(oo)[dk] uh|(oor) ao r|(oo) uw|(ough)t ao|(ough)$ ow|(oul)d uh
(our) ao r|(ous)$ ah s
(oun) aw n|(ou) aw|^(ow)n ow|(ow)$ ow|(ow)n aw|(ow)[ld] aw|(ow) ow|w(or)[kdlmst] er|(orr) ao r|(ore) ao r
(or) ao r|(old) ow l d
(olk) ow k|(ost)$ ow s t|(o)ll ow|(o)me$ ah|(o)ne$ ow|(o)ve ah|(o)Ce$ ow|(o)Ces$ ow|(o)Ced$ ow|(o)Cing$ ow
(o)tion ow|(o)th$ ao
.(on)$ ah n|(oh) ow|(o)$ ow|(o)V ow|(o)s$ ow|(o) aa
(pph) f|(ph) f|(pp) p|^(ps) s|^(pn) n|(p) p
(que)$ k|(qu) k w|(q) k
(rr) r|^(rh) r|(re)$ er|(r) r
(sch) sh|(ssion) sh ah n|V(sion) zh ah n|(sion) sh ah n|(sh) sh|(sure)$ zh er|(ss) s|V(se)$ z|V(s)V z
[bdglmnrvw](s)$ z
V(s)$ z|(s)m$ z ah|(st)le s|(st)en s|(s) s
(tch) ch|(tion) sh ah n|(tia) sh ah|(tient) sh ah n t|(ture)$ ch er|^(th)[eio][sny]?$ dh|^(th)[ae][tny] dh
V(ther) dh er
V(the)$ dh|(th) th|(tt) t|(t) t
^(uni) y uw n ih|g(u)[aei] w|q(u) w|(ure)$ y uh r|(ur) er|(uy) ay|[rljs](ue)$ uw|(ue)$ y uw|(ui) uw
[rljs](u)Ce uw|(u)Ce y uw
(u)Cing$ y uw|^(u)CV y uw|(u)ll uh|(u)$ uw|(u)V uw|(u) ah
(vv) v|(v) v
^(wr) r|(wh)o hh|(wh) w|(ww) w|(w) w
^(x) z|(x) k s
^(y)$ w ay|^(y)V y|^C+(y)$ ay|(y)$ iy|(y)Ce$ ay|V(y)V y|^C+(y)C ih|(y) ih
(zz) z|(z) z
(') |(é) ey
"""

_CLASSES: Mapping[str, str] = {"C": "[bcdfghjklmnpqrstvwxz]", "V": "[aeiouy]"}


@dataclass(frozen=True)
class _Rule:
    pattern: re.Pattern[str]
    sounds: tuple[str, ...]


def spell_out(word: str) -> tuple[str, ...]:
    """Return ARPAbet phones for a lower-case word of a to z and apostrophes; what it cannot read falls out."""
    sounds: list[str] = []
    at = 0
    while at < len(word):
        rule, end = _fitting(word, at)
        sounds += rule.sounds if rule else ()
        at = end
    return tuple(sounds)


def _fitting(word: str, at: int) -> tuple[_Rule | None, int]:
    for rule in _rules().get(word[at], ()):
        # The left side is part of the match, so that it may be of any length; the letters begin where we stand.
        found = rule.pattern.search(word[:at] + "\0" + word[at:])
        if found is not None:
            return rule, at + len(found["letters"])
    return None, at + 1


@cache
def _rules() -> Mapping[str, tuple[_Rule, ...]]:
    by_letter: dict[str, list[_Rule]] = defaultdict(list)
    for text in (part for line in _RULES.split("\n") for part in line.split("|") if part):
        pattern, _, sounds = text.partition(" ")
        left, letters, right = re.split(r"[()]", pattern)
        for name, meant in _CLASSES.items():
            left, right = left.replace(name, meant), right.replace(name, meant)
        compiled = re.compile(f"{left}\0(?P<letters>{letters}){right}")
        by_letter[letters[0]].append(_Rule(compiled, tuple(sounds.split())))
    return {letter: tuple(rules) for letter, rules in by_letter.items()}
