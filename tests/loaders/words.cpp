// Counts words, with what the standard library has for that. Compiled without exceptions.
#include <algorithm>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

struct Shape {
  virtual ~Shape() = default;
  virtual double area() const = 0;
};
struct Square : Shape {
  double side;
  explicit Square(double side) : side(side) {}
  double area() const override { return side * side; }
};

int main() {
  std::map<std::string, int> counts;
  for (std::string word; std::cin >> word;) ++counts[word];
  std::vector<std::pair<std::string, int>> words(counts.begin(), counts.end());
  std::stable_sort(words.begin(), words.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  for (const auto& [word, count] : words) std::cout << std::setw(3) << count << ' ' << word << '\n';
  std::unordered_map<int, std::unique_ptr<Shape>> shapes;
  for (int n = 0; n < 100; ++n) shapes[n * 7] = std::make_unique<Square>(n / 4.0);
  double area = 0;
  for (const auto& [number, shape] : shapes) area += shape->area();
  std::ostringstream text;
  text << std::fixed << std::setprecision(3) << area << std::hex << " 0x" << shapes.size();
  std::cout << text.str() << std::endl;
}
