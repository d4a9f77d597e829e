// The steps of Newton-Schulz as products: what is asked for, and which product follows which.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/optimizer/scaled_product_body.hpp"

namespace strata {

struct NewtonSchulzStep {
    float a, b, c;
};

// Five steps bring singular values of [0.003, 1] or so into [0.68, 1.13] (Jordan et al., Muon; facts B12). DeepSeek-V4
// takes eight of them and two that settle at 1 (arXiv 2606.19348, algorithm 1).
inline constexpr NewtonSchulzStep kQuickStep{3.4445f, -4.7750f, 2.0315f}, kSettlingStep{2.0f, -1.5f, 0.5f};
inline std::vector<NewtonSchulzStep> five_steps() { return std::vector<NewtonSchulzStep>(5, kQuickStep); }
inline std::vector<NewtonSchulzStep> hybrid_steps() {
    std::vector<NewtonSchulzStep> steps(8, kQuickStep);
    steps.insert(steps.end(), 2, kSettlingStep);
    return steps;
}

// Matrices of one shape, each on its own: the experts of a layer, or the heads of one matrix (see head_wise).
struct NewtonSchulzTask {
    const Bf16* in = nullptr;    // [matrices][rows][columns], norm 1 or less
    Bf16* out = nullptr;         // [matrices][rows][columns]
    Bf16* spare = nullptr;       // [matrices][rows][columns], scratch; needed from the second step on
    Bf16* gram = nullptr;        // [matrices][rows][rows], scratch: A of the last step
    Bf16* polynomial = nullptr;  // [matrices][rows][rows], scratch: B of the last step
    long matrices = 0;
    long rows = 0;  // at most columns; both multiples of 8
    long columns = 0;
    std::vector<NewtonSchulzStep> steps{};
    bool symmetric = true;  // false: whole products, to compare with
};

// Each head's block of rows is orthogonalised alone (V4.1's Q and K; facts v4.md 3.5): the heads are a batch.
inline NewtonSchulzTask head_wise(NewtonSchulzTask task, long heads) {
    if (heads < 1 || task.rows % heads != 0 || task.rows / heads % 8 != 0)
        throw std::invalid_argument("newton_schulz: " + std::to_string(task.rows) + " rows of " +
                                    std::to_string(heads) + " heads; expected a multiple of 8 rows for each");
    task.matrices *= heads, task.rows /= heads;
    return task;
}

inline void require_valid(const NewtonSchulzTask& task) {
    const auto refuse = [](const std::string& what) { throw std::invalid_argument("newton_schulz: " + what); };
    if (task.matrices < 0 || task.matrices > 65535 || task.rows < 0 || task.rows % 8 != 0 || task.columns % 8 != 0 ||
        task.rows > task.columns)
        refuse(std::to_string(task.matrices) + " matrices of " + std::to_string(task.rows) + " x " +
               std::to_string(task.columns) +
               "; expected at most 65535, multiples of 8, and no more rows than columns (transpose them)");
    if (task.steps.empty()) refuse("expected one step or more");
    if (task.matrices == 0 || task.rows == 0) return;
    if (!task.in || !task.out || !task.gram || !task.polynomial || (task.steps.size() > 1 && !task.spare))
        refuse("a buffer is missing (in, out, gram and polynomial, and from two steps on spare, are needed)");
}

struct NewtonSchulzProduct {
    ScaledProductTask task;
    ProductForm form;
};

// In the order in which they are launched. X goes to and fro between `spare` and `out`, so that the last is in `out`.
inline std::vector<NewtonSchulzProduct> products_of(const NewtonSchulzTask& task) {
    const ProductForm square = task.symmetric ? ProductForm::symmetric : ProductForm::rows_by_rows;
    std::vector<NewtonSchulzProduct> products;
    const Bf16* x = task.in;
    for (std::size_t step = 0; step < task.steps.size(); ++step) {
        const NewtonSchulzStep& of = task.steps[step];
        Bf16* next = (task.steps.size() - 1 - step) % 2 == 0 ? task.out : task.spare;
        ScaledProductTask gram{.left = x, .right = x, .out = task.gram};
        gram.matrices = task.matrices, gram.rows = gram.columns = task.rows, gram.depth = task.columns;
        ScaledProductTask polynomial{.left = task.gram, .right = task.gram, .added = task.gram, .out = task.polynomial};
        polynomial.matrices = task.matrices, polynomial.rows = polynomial.columns = polynomial.depth = task.rows;
        polynomial.alpha = of.c, polynomial.beta = of.b;
        ScaledProductTask update{.left = task.polynomial, .right = x, .added = x, .out = next};
        update.matrices = task.matrices, update.rows = update.depth = task.rows, update.columns = task.columns;
        update.beta = of.a;
        products.insert(products.end(), {{gram, square}, {polynomial, square}, {update, ProductForm::rows_by_columns}});
        x = next;
    }
    return products;
}

}  // namespace strata
