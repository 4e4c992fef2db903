;; scheme-lib/heat-map: which memory a program touches, as a drawing.

(##namespace ("scheme-lib/heat-map#" write-heat-map))
