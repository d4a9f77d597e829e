// The definition of distillation in double. KL(P | Q) = sum_v p_v (log p_v - log q_v), with 0 log 0 = 0; the logits of
// both are divided by the temperature, and nothing is multiplied by its square.
#pragma once

#include "kernels/rl/distillation.hpp"
#include "kernels/rl/grpo_reference.hpp"

namespace strata::reference {

inline std::vector<double> log_softmax(std::vector<double> logits, double temperature) {
    for (double& one : logits) one /= temperature;
    const double lse = log_sum_exp(logits);
    for (double& one : logits) one -= lse;
    return logits;
}

inline double divergence(const std::vector<double>& student, const std::vector<double>& teacher, Divergence form,
                         double temperature) {
    const auto of_student = log_softmax(student, temperature), of_teacher = log_softmax(teacher, temperature);
    const auto& p = form == Divergence::reverse ? of_student : of_teacher;
    const auto& q = form == Divergence::reverse ? of_teacher : of_student;
    double sum = 0;
    for (std::size_t v = 0; v < p.size(); ++v)
        if (std::exp(p[v]) > 0) sum += std::exp(p[v]) * (p[v] - q[v]);
    return sum;
}

// slope * d divergence / d student logits
inline std::vector<double> divergence_gradient(const std::vector<double>& student, const std::vector<double>& teacher,
                                               Divergence form, double temperature, double slope) {
    const auto s = log_softmax(student, temperature), t = log_softmax(teacher, temperature);
    const double kl = divergence(student, teacher, form, temperature);
    std::vector<double> gradient(student.size());
    for (std::size_t v = 0; v < student.size(); ++v) {
        const double share = std::exp(s[v]);
        gradient[v] = slope / temperature *
                      (form == Divergence::forward ? share - std::exp(t[v])
                       : share > 0                 ? share * (s[v] - t[v] - kl)
                                                   : 0);
    }
    return gradient;
}

}  // namespace strata::reference
