"""Chinese words of the budget lines of the picture's figures; patterns as in `reports.phrases`."""

from __future__ import annotations

__all__ = ["PICTURE_PHRASES"]

#: English pattern, Chinese words.
PICTURE_PHRASES: tuple[tuple[str, str], ...] = (
    ("16 pieces of each of 5 patches", "5个色块各分16块"), ("240 drawn cameras", "240台随机生成的摄像机"),
    ("8 bits", "8位量化"), ("a third term as large as the second is not excluded", "不排除第三项与第二项同样大"),
    ("beyond the points", "测点以外"), ("captures", "各次采集"), ("this capture", "本次采集"),
    ("certificate of length", "长度证书"), ("certificate, or a good print", "证书或优质印制品"),
    ("certified colours of the chart", "测试卡颜色标定值"), ("codes are whole", "码值取整"),
    ("coding and sharpening", "编码与锐化"), ("coding error common to all GOPs", "各图像组共有的编码误差"),
    ("coding error of each place", "各部位的编码误差"), ("cubic through 9 steps, known curves", "九级三次曲线，已知曲线"),
    ("declaration", "委托方声明"), ("densities and mean codes of the steps", "各灰阶密度与平均码值"),
    ("distortion that looks like a tilt", "与倾斜相似的畸变"), (r"docs/methods/\w+\.md", "检验方法文件"),
    ("evenness of the light", "照明均匀性"), ("field of view", "视场角"), ("fit of the whole board", "整板拟合"),
    ("fit, widened for coding that neighbours share", "拟合，计入相邻点共有的编码误差"),
    ("flatness of the chart", "测试卡平整度"), ("grey steps round it", "附近灰阶"),
    ("half of what is taken off", "修正量的一半"), ("luminance of the noise floor", "噪声下限亮度"),
    ("luminance that saturates", "饱和亮度"), ("lux meter: certificate and scatter", "照度计：证书与离散"),
    ("scatter of the paper", "白底离散"), ("beyond the paper", "白底范围以外"),
    ("tone curve and fall-off told apart", "灰阶曲线与照度衰减的区分"), ("evenness of the light", "照明均匀性"),
    ("certificate, or taken for likely", "证书，或按经验取值"),
    ("one edge", "单条刃边"), ("window over the whole rectangle", "全区域窗口影响"),
    ("method", "方法"), ("noise and coding of the patches", "色块噪声与编码"), ("noise of the picture", "图像噪声"),
    ("noise of the quantiser", "量化噪声"), ("noise uneven over the picture", "画面噪声不均匀"),
    ("place of the board's lines, pose, lens", "标板线条位置、姿态与镜头"), ("place of the features", "特征点位置"),
    ("resampled by cells of the picture", "按画面分格重采样"),
    ("rounding beyond 1/12 code squared", "超出1/12码值平方的取整误差"),
    ("rule of thumb: bulge over distance", "经验：鼓起量与距离之比"),
    ("scatter between runs of pictures", "各段图像间离散"),
    ("scatter from picture to picture", "图像间离散"), ("scatter of the points", "测点离散"),
    ("scatter of the signal", "信号离散"), ("scatter within the patches", "色块内离散"), ("size of the board", "标板尺寸"),
    ("slope of the tone curve", "色调曲线斜率"), ("straight line between two steps", "两级之间按直线"),
    ("validation", "方法验证"), ("what errors add to a distance", "误差对色差的附加量"),
    ("width of the step", "照度分级宽度"), ("this search", "本次搜索"), ("between two pictures", "相邻两幅图像之间"),
    ("settling of the light", "光源稳定过程"), ("light box", "灯箱"),
    ("illuminance of going to night", "转夜间模式照度"), ("illuminance of going to day", "转日间模式照度"),
    ("whole seconds of the text", "叠加文字只到整秒"), (r"\d+ pictures", "多幅图像"),
    ("time of the pictures", "图像到达时刻"), ("the bench's clock", "检验装置时钟"),
    ("delay until the picture came", "图像到达前的延迟"), ("latency, at most", "延迟上限"),
    ("worst place between two codes", "两码值间最不利处"),
    ("whole codes of the paper", "白底码值取整"),
    ("the curve rounded to codes and fitted again", "曲线取整后重新拟合"),
)  # fmt: skip
