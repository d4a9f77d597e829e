// The divergence between the teacher's and the student's law for each token in one reading of both logits:
//   KL(P | Q) = E_P[x_P - x_Q] - lse_P + lse_Q
// The expectation is carried beside P's online softmax and rescaled with it. P is the teacher in the forward form and
// the student in the reverse one. A block a row, two packs of each in flight a thread. What P gives no weight adds
// nothing, though Q's logit be -inf too (a sampling mask on both); where Q alone is -inf the divergence is +inf.
#pragma once

#include "kernels/rl/distillation.hpp"
#include "kernels/rl/token_logp_body.hpp"

namespace strata {

template <class T>
struct DistillationTask {
    const T* student = nullptr;             // [tokens][vocabulary]
    const T* teacher = nullptr;             // [tokens][vocabulary]
    const std::uint8_t* counted = nullptr;  // [tokens]; 0: not read, everything of it becomes 0; null: all count
    float* divergences = nullptr;           // [tokens], natural; by rounding not quite 0 for equal laws
    float* student_log2_sum = nullptr;      // [tokens], for the gradient
    float* teacher_log2_sum = nullptr;      // [tokens]
    long tokens = 0;
    long vocabulary = 0;
    float temperature = 1;  // of both; the divergence is not multiplied by its square
    Divergence form = Divergence::reverse;
};

// For the student's logits; may take the place of the student's logits or the teacher's.
template <class T>
struct DistillationGradientTask {
    const T* student = nullptr;
    const T* teacher = nullptr;
    const float* divergences = nullptr;
    const float* student_log2_sum = nullptr;
    const float* teacher_log2_sum = nullptr;
    const float* slope = nullptr;  // [tokens]: d loss / d divergence; 0: the gradient is 0 and nothing is read
    T* gradient = nullptr;
    long tokens = 0;
    long vocabulary = 0;
    float temperature = 1;
    Divergence form = Divergence::reverse;
};

template <class T>
void require_valid(const DistillationTask<T>& task) {
    require_valid_logits("distillation", task.tokens, task.vocabulary, task.temperature);
    if (task.tokens > 0)
        require_logits_buffers("distillation", {task.student, task.teacher, task.divergences, task.student_log2_sum,
                                                task.teacher_log2_sum});
    require_aligned("distillation", {task.student, task.teacher});
}

inline constexpr int kPairPacks = 2;  // a thread, of each of the two rows

template <class T>
inline long pair_pieces(long vocabulary) {
    return ceil_div(vocabulary, long(kLogitsThreads) * kPairPacks * Pack<T>::kSize);
}

template <class T>
void require_valid(const DistillationGradientTask<T>& task) {
    require_valid_logits("distillation gradient", task.tokens, task.vocabulary, task.temperature);
    if (task.tokens > 0)
        require_logits_buffers("distillation gradient",
                               {task.student, task.teacher, task.divergences, task.student_log2_sum,
                                task.teacher_log2_sum, task.slope, task.gradient});
    require_aligned("distillation gradient", {task.student, task.teacher, task.gradient});
    if (task.tokens * pair_pieces<T>(task.vocabulary) > 0x7FFFFFFF)
        throw std::invalid_argument("distillation gradient: too many logits for one launch; give it fewer tokens");
}

template <class T>
Grid grid_of(const DistillationTask<T>& task) {
    return {.blocks = int(task.tokens), .threads = kLogitsThreads, .shared_bytes = kLogitsThreads / 32 * sizeof(float)};
}

template <class T>
Grid grid_of(const DistillationGradientTask<T>& task) {
    return {.blocks = int(task.tokens * pair_pieces<T>(task.vocabulary)), .threads = kLogitsThreads};
}

// An online softmax that carries sum_v 2^(scale x_v - max) (x_v - y_v) along.
struct WeightedSoftmax {
    OnlineSoftmax of;
    float difference = 0;
};

template <int count>
STRATA_BODY void absorb(WeightedSoftmax& softmax, const float (&x)[count], const float (&y)[count], float scale) {
    float highest = x[0];
    STRATA_UNROLL
    for (int i = 1; i < count; ++i) highest = fmaxf(highest, x[i]);
    const float max = fmaxf(softmax.of.max, highest * scale);
    const float shrink = exp2_of(softmax.of.max - max);
    float sum = softmax.of.sum * shrink, difference = softmax.difference * shrink;
    STRATA_UNROLL
    for (int i = 0; i < count; ++i) {
        const float power = exp2_of(fmaf(x[i], scale, -max));
        sum += power;
        difference += power == 0 ? 0.0f : power * (x[i] - y[i]);
    }
    softmax = {{max, sum}, difference};
}

template <class Thread, class T>
STRATA_BODY void distillation(Thread& t, const DistillationTask<T>& task) {
    constexpr long kStep = long(kLogitsThreads) * kPairPacks * Pack<T>::kSize;
    const long token = t.block();
    if (task.counted && !task.counted[token]) {
        if (t.thread() == 0) task.divergences[token] = task.student_log2_sum[token] = task.teacher_log2_sum[token] = 0;
        return;
    }
    const float scale = kLog2e / task.temperature;
    const bool packed = rows_are_packed<T>(task.vocabulary), reverse = task.form == Divergence::reverse;
    const T* weighing = (reverse ? task.student : task.teacher) + token * task.vocabulary;
    const T* other = (reverse ? task.teacher : task.student) + token * task.vocabulary;
    WeightedSoftmax p;
    OnlineSoftmax q;
    for (long begin = 0; begin < task.vocabulary; begin += kStep) {
        LogitsSlice<T, kPairPacks> slice_p, slice_q;
        load_slice(t, slice_p, weighing, begin, task.vocabulary, packed);
        load_slice(t, slice_q, other, begin, task.vocabulary, packed);
        float x[LogitsSlice<T, kPairPacks>::kCount], y[LogitsSlice<T, kPairPacks>::kCount];
        to_floats(x, slice_p);
        to_floats(y, slice_q);
        absorb(p, x, y, scale);
        absorb(q, y, scale);
    }
    float* scratch = reinterpret_cast<float*>(t.shared());
    const OnlineSoftmax all_p = merged(t, p.of, scratch), all_q = merged(t, q, scratch);
    // A thread that saw nothing has a difference of 0 and a factor of 0.
    const float difference = block_sum(t, p.difference * exp2_of(p.of.max - all_p.max), scratch);
    if (t.thread() != 0) return;
    const float log2_p = all_p.log2_sum(), log2_q = all_q.log2_sum();
    task.divergences[token] = difference / all_p.sum / task.temperature - (log2_p - log2_q) * kLn2;
    task.student_log2_sum[token] = reverse ? log2_p : log2_q;
    task.teacher_log2_sum[token] = reverse ? log2_q : log2_p;
}

template <class Thread, class T>
STRATA_BODY void distillation_gradient(Thread& t, const DistillationGradientTask<T>& task) {
    constexpr long kStep = long(kLogitsThreads) * kPairPacks * Pack<T>::kSize;
    const long pieces = ceil_div(task.vocabulary, kStep);
    const long token = t.block() / pieces, begin = t.block() % pieces * kStep;
    const long offset = token * task.vocabulary;
    const bool packed = rows_are_packed<T>(task.vocabulary), reverse = task.form == Divergence::reverse;
    const float slope = task.slope[token] / task.temperature;
    LogitsSlice<T, kPairPacks> student, teacher;
    if (slope == 0) {
        STRATA_UNROLL
        for (int i = 0; i < student.kCount; ++i) student.set(i, 0);
        store_slice(t, student, task.gradient + offset, begin, task.vocabulary, packed);
        return;
    }
    load_slice(t, student, task.student + offset, begin, task.vocabulary, packed);
    load_slice(t, teacher, task.teacher + offset, begin, task.vocabulary, packed);
    const float scale = kLog2e / task.temperature;
    const float of_student = task.student_log2_sum[token], of_teacher = task.teacher_log2_sum[token];
    const float divergence = task.divergences[token];
    STRATA_UNROLL
    for (int i = 0; i < student.kCount; ++i) {
        const float log2_s = fmaf(student.get(i), scale, -of_student);
        const float log2_t = fmaf(teacher.get(i), scale, -of_teacher);
        const float share = exp2_of(log2_s);
        const float pull =
            reverse ? (share == 0 ? 0.0f : share * fmaf(log2_s - log2_t, kLn2, -divergence)) : share - exp2_of(log2_t);
        student.set(i, slope * pull);
    }
    store_slice(t, student, task.gradient + offset, begin, task.vocabulary, packed);
}

}  // namespace strata
