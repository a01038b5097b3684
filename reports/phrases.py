"""English remarks of the record, put into Chinese for the documents.

The record holds the remarks of measuring functions and of decide() in English, as they were made. Each is
translated here by a pattern; one without a pattern is printed as it is, so that nothing is left out.
"""

from __future__ import annotations

import re

from reports.phrases_picture import PICTURE_PHRASES

__all__ = ["edge_order", "edge_zh", "known", "translated"]

_PLACES = {
    "edge": "", "centre": "中心", "corner": "边角", "corners": "边角", "top_left": "左上",
    "top_right": "右上", "bottom_left": "左下", "bottom_right": "右下", "left": "左缘", "right": "右缘",
    "top": "上缘", "bottom": "下缘",
}  # fmt: skip

_PHRASES: tuple[tuple[str, str], ...] = (
    # verdicts
    ("limit unknown: text required", "待取得标准文本"),
    ("declared, and not there", "已申报,未见实物或文件"),
    (r"read by (.+) on (\S+)", r"\1于\2查阅"),
    ("not yet mature: nothing recorded has been deleted yet", "系统运行时间尚短,录像尚未开始删除,暂不能判定"),
    ("uncertainty not evaluated; the rule needs it", "不确定度未评定,判定规则要求评定"),
    (r"observed (\S+) s, the scheme asks for (\S+) s", r"观测时间\1 s,方案要求不少于\2 s"),
    # the run
    ("the run ended before it", "检验在该项之前结束"),
    (r"no procedure", "暂无检验方法"),
    # latency
    (r"to arrival: 95 % of the pictures within (\S+) s, maximum (\S+) s",
     r"至到达检测主机:95 %的图像不大于\1 s,最大\2 s"),
    (r"lamp delay not calibrated: 10 ms taken, 0 to 20 ms allowed for",
     "灯光延迟未校准:取10 ms,按0 ms至20 ms计入不确定度"),
    ("the RTP timestamps do not follow the capture: arrivals took their place, U is wider",
     "RTP时间戳不随采集时刻变化,改用到达时刻,不确定度增大"),
    ("the display's delay is stated without uncertainty", "显示延迟未给出不确定度"),
    ("arrival only: the display's delay is not stated", "终点为到达检测主机,未声明显示延迟"),
    ("no platform in the path", "测量路径中不含平台"),
    ("lamp delay", "灯光指令至发光延迟"), ("certificate", "校准证书"),
    ("not calibrated: 0 to 20 ms", "未校准,0 ms至20 ms"),
    ("display", "显示环节"), ("stated by the station", "检测台声明"),
    ("fit of the flashes", "闪光时刻拟合"), (r"(\d+) switches of the lamp", r"灯光切换\1次"),
    ("lamp switching", "灯光切换一致性"),
    ("its mean delay on the day, within its scatter", "当日平均延迟,以其离散为限"),
    ("command time", "指令发出时刻"),
    ("host: hand-over of a command to the line", "主机向线路交出指令的时间"),
    ("arrival time", "到达时刻"), ("kernel receive time", "内核接收时间"),
    ("tone", "色调曲线"), ("level not quite linear", "亮度读数非理想线性"),
    ("mean over the pictures", "各图像平均值"), (r"(\d+) values", r"\1个值"),
    # frame rate
    ("by the camera's own clock", "以摄像机自身时钟计"),
    ("RTP timestamps", "RTP时间戳"), ("scatter about a line", "对直线的离散"),
    ("ends of the window", "观测窗两端"), ("one picture in the window", "窗内一幅图像"),
    ("arrival times", "到达时刻"), ("residuals of the line", "直线拟合残差"),
    ("host clock", "主机时钟"), (r"rate within (\S+) ppm", r"频率偏差在\1 ppm以内"),
    ("no content counter in view: repeats cannot be ruled out", "画面中无内容计数器,不能排除重复图像"),
    ("no content counter in view: repeated pictures stay unseen", "画面中无内容计数器,重复图像不可见"),
    ("interruptions are left out here and judged by themselves", "中断期间不计入,另行判定"),
    ("counts not read", "未读出的计数"), (r"(\d+) pictures, new or not", r"\1幅图像,是否重复不明"),
    # picture and transport
    (r"the size changed during the capture: (.+); the smallest counts", r"采集中图像尺寸改变(\1),以最小者计"),
    (r"declared (\S+) x (\S+), decoded (\d+) x (\d+)", r"声明\1×\2,实际解码\3×\4"),
    (r"(\d+) pictures changed their timestamp half-way, the first at unit (\d+)",
     r"\1幅图像的时间戳中途改变,首幅为第\2幅"),
    (r"(\d+) pictures share a timestamp, the first at unit (\d+)", r"\1幅图像共用时间戳,首幅为第\2幅"),
    (r"(\d+) pictures have parameter sets under a timestamp of their own \(not judged\)",
     r"\1幅图像的参数集另有时间戳(不作判定)"),
    # resolution
    (r"Nyquist limited: 10 % lies beyond (\S+) cycles/pixel",
     r"受奈奎斯特频率限制:10 %调制度在\1周期/像素以外"),
    ("one picture only: the coding error is taken from experience, not from this stream",
     "仅一幅图像可用,编码误差取经验值"),
    (r"([\w.]+): noise", r"<\1>:噪声"), (r"([\w.]+): scatter between GOPs", r"<\1>:图像组间离散"),
    (r"([\w.]+): one picture only, coding error", r"<\1>:仅一幅图像,编码误差"),
    (r"([\w.]+): scatter between edges", r"<\1>:刃边间离散"),
    (r"([\w.]+): coding error common to all GOPs", r"<\1>:各图像组共有的编码误差"),
    (r"([\w.]+): edge at (\S+) degrees: good between 2 and 15", r"<\1>:倾角\2°,宜在2°至15°之间"),
    (r"([\w.]+): edge crosses fewer than 4 columns of pixels", r"<\1>:刃边跨越不足4列像素"),
    (r"([\w.]+): step to noise (\S+) dB", r"<\1>:阶跃信噪比\2 dB"),
    (r"([\w.]+): residuals three times the noise: something lies across the edge",
     r"<\1>:残差达噪声的3倍,刃边上可能有异物"),
    (r"chart: modulation transfer of the print, certificate (.+)", r"测试卡印制调制传递函数(证书\1)"),
    ("chart MTF assumed 1: not evaluated", "测试卡调制传递函数按1计,未评定"),
    (r"chart MTF certified from (\S+) to (\S+) 1/mm only: assumed 1, not evaluated",
     r"测试卡调制传递函数仅在\1/mm至\2/mm有证书,按1计,未评定"),
    ("coding error common to all edges", "各刃边共有的编码误差"),
    ("method: bias of the edge response", "方法:刃边响应偏差"),
    ("tone curve and nominal reflectances", "色调曲线与标称反射比"),
    ("statistics of this capture", "本次采集的统计"),
    # gaps
    ("pictures missing", "图像缺失"), ("wire silent", "无数据到达"),
)  # fmt: skip
_COMPILED = tuple((re.compile(pattern), words) for pattern, words in (*_PHRASES, *PICTURE_PHRASES))


def edge_zh(name: str) -> str:
    """The name of a chart's edge, e.g. 'edge.centre.left', in Chinese as far as its parts are known."""
    return "".join(_PLACES.get(part, part) for part in name.split("."))


def edge_order(name: str) -> tuple[int, ...]:
    """Sorting key: centre, corners, each with its left, right, top and bottom edge; unknown parts last."""
    places = list(_PLACES)
    return tuple(places.index(part) if part in places else len(places) for part in name.split("."))


def _one(text: str) -> str | None:
    for pattern, words in _COMPILED:
        found = pattern.fullmatch(text)
        if found:
            return re.sub(r"<([\w.]+)>", lambda name: edge_zh(name[1]), found.expand(words))
    return None


def known(text: str) -> bool:
    """True if every part of a remark has its words."""
    return _one(text) is not None or all(_one(part) is not None for part in text.split("; "))


def translated(text: str) -> str:
    """A remark in Chinese; parts joined by '; ' are translated one by one, unknown ones are kept."""
    whole = _one(text)
    if whole is not None:
        return whole
    return ";".join(_one(part) or part for part in text.split("; "))
