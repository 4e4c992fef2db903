;; scheme-lib/svg: drawings as Scheme data, written as SVG.

(##namespace ("scheme-lib/svg#" write-svg))
