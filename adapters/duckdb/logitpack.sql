-- Reads LogitPack 1.0 (SPEC.md) with DuckDB 2.0 or later. Paste this file, or .read it, and then:
--
--   FROM logitpack_tokens('data/train.parquet');      -- a row for each token, its entries in lists
--   FROM logitpack_entries('data/train.parquet');     -- a row for each entry, with its probability
--   FROM logitpack_breaches('data/train.parquet');    -- the rows that cannot be read, and why
--
-- The argument is a file or pattern whose name ends in .parquet, or the name of a table or view with the columns of
-- section 5. Rows, tokens and entries are counted from 0 and come in their stored order (RD-2). A row that breaks a
-- structural requirement is an error (RD-1). What rows do not show of their file is looked at in parquet.sql.

-- 1. What can be wrong with a column: each of these gives the requirement and the place, or NULL.

CREATE OR REPLACE MACRO logitpack_type(name, type) AS
    if(CASE
        WHEN name IN ('top_indices_high', 'sampled_indices_high') THEN type = 'BLOB'
        WHEN name IN ('top_min', 'top_max', 'sampled_min', 'sampled_max', 'logsumexp')
            THEN type IN ('FLOAT[]', 'DOUBLE[]')
        ELSE regexp_full_match(type, 'U?(TINYINT|SMALLINT|INTEGER|BIGINT)' || if(name = 'num_tokens', '', '\[\]'))
    END, NULL, format('COL-2: {} is {}', name, type));

CREATE OR REPLACE MACRO logitpack_null(name, list) AS
    if(list IS NULL OR list_count(list) < len(list), format('COL-3: null in {}', name), NULL);

CREATE OR REPLACE MACRO logitpack_length(requirement, name, length, expected) AS
    if(length = expected, NULL, format('{}: {} has {}, expected {}', requirement, name, length, expected));

CREATE OR REPLACE MACRO logitpack_between(requirement, name, list, least, most) AS
    if(list_min(list) >= least AND list_max(list) <= most, NULL, format('{}: {}[{}] is {}', requirement, name,
        list_position(list, if(list_min(list) < least, list_min(list), list_max(list))) - 1,
        if(list_min(list) < least, list_min(list), list_max(list))));

-- The difference is taken in binary32, as readers do that decode in it.
CREATE OR REPLACE MACRO logitpack_ends(name, least, most) AS
    format('QNT-1: {}_min[{}] and {}_max', name, -1 + list_position(list_transform(least, lambda x, i:
        isfinite(x) AND isfinite(most[i]) AND x <= most[i] AND isfinite(most[i] - x)), false), name);

CREATE OR REPLACE MACRO logitpack_finite(name, list) AS
    format('LSE-1: {}[{}]', name, -1 + list_position(list_transform(list, lambda x: isfinite(x)), false));

-- 2. Rows: as they are stored, and what is wrong with them.

-- Ends of ranges in binary32, which is what they mean in any type (section 5); those beyond it are infinite there.
CREATE OR REPLACE MACRO logitpack_binary32(list) AS
    list_transform(list, lambda x: if(x IS NULL, NULL, coalesce(TRY_CAST(x AS FLOAT), 'infinity'::FLOAT)));

-- Are there token_ids? Where they are absent, logitpack_stored makes them NULL and BOOLEAN[], which is no type of theirs.
CREATE OR REPLACE MACRO logitpack_has(token_ids) AS token_ids IS NOT NULL OR typeof(token_ids) <> 'BOOLEAN[]';

CREATE OR REPLACE MACRO logitpack_stored(source) AS TABLE
    SELECT
        row_number() OVER () - 1 AS row, num_tokens, top_counts,
        top_indices_low, top_indices_high, top_logits_quantized,
        logitpack_binary32(top_min) AS top_min, logitpack_binary32(top_max) AS top_max,
        sampled_indices_low, sampled_indices_high, sampled_logits_quantized,
        logitpack_binary32(sampled_min) AS sampled_min, logitpack_binary32(sampled_max) AS sampled_max,
        logsumexp, token_ids,
        coalesce(
            logitpack_type('num_tokens', typeof(num_tokens)), logitpack_type('top_counts', typeof(top_counts)),
            logitpack_type('top_indices_low', typeof(top_indices_low)),
            logitpack_type('top_indices_high', typeof(top_indices_high)),
            logitpack_type('top_logits_quantized', typeof(top_logits_quantized)),
            logitpack_type('top_min', typeof(top_min)), logitpack_type('top_max', typeof(top_max)),
            logitpack_type('sampled_indices_low', typeof(sampled_indices_low)),
            logitpack_type('sampled_indices_high', typeof(sampled_indices_high)),
            logitpack_type('sampled_logits_quantized', typeof(sampled_logits_quantized)),
            logitpack_type('sampled_min', typeof(sampled_min)), logitpack_type('sampled_max', typeof(sampled_max)),
            logitpack_type('logsumexp', typeof(logsumexp)),
            if(logitpack_has(token_ids), logitpack_type('token_ids', typeof(token_ids)), NULL)
        ) AS wrong_type
    FROM (SELECT NULL::BOOLEAN[] AS token_ids WHERE false UNION ALL BY NAME FROM query_table(source));

-- The first structural requirement that each row breaks, as text that begins with its id, or NULL.
CREATE OR REPLACE MACRO logitpack_judged(source) AS TABLE
    SELECT *, coalesce(
        wrong_type,
        if(num_tokens IS NULL, 'COL-3: null in num_tokens', NULL),
        logitpack_null('top_counts', top_counts), logitpack_null('top_indices_low', top_indices_low),
        if(top_indices_high IS NULL, 'COL-3: null in top_indices_high', NULL),
        logitpack_null('top_logits_quantized', top_logits_quantized),
        logitpack_null('top_min', top_min), logitpack_null('top_max', top_max),
        logitpack_null('sampled_indices_low', sampled_indices_low),
        if(sampled_indices_high IS NULL, 'COL-3: null in sampled_indices_high', NULL),
        logitpack_null('sampled_logits_quantized', sampled_logits_quantized),
        logitpack_null('sampled_min', sampled_min), logitpack_null('sampled_max', sampled_max),
        logitpack_null('logsumexp', logsumexp),
        if(logitpack_has(token_ids), logitpack_null('token_ids', token_ids), NULL),
        if(num_tokens BETWEEN 1 AND 2147483647, NULL, format('ROW-1: num_tokens is {}', num_tokens)),
        logitpack_length('ROW-2', 'top_counts', len(top_counts), num_tokens),
        logitpack_length('ROW-2', 'top_min', len(top_min), num_tokens),
        logitpack_length('ROW-2', 'top_max', len(top_max), num_tokens),
        logitpack_length('ROW-2', 'sampled_min', len(sampled_min), num_tokens),
        logitpack_length('ROW-2', 'sampled_max', len(sampled_max), num_tokens),
        logitpack_length('ROW-2', 'logsumexp', len(logsumexp), num_tokens),
        logitpack_between('NUC-1', 'top_counts', top_counts, 1, 255),
        logitpack_length('ROW-3', 'top_indices_low', len(top_indices_low), list_sum(top_counts)),
        logitpack_length('ROW-3', 'top_logits_quantized', len(top_logits_quantized), list_sum(top_counts)),
        if(len(sampled_indices_low) >= num_tokens AND len(sampled_indices_low) % num_tokens = 0, NULL,
           format('ROW-4: sampled_indices_low has {} for {} tokens', len(sampled_indices_low), num_tokens)),
        logitpack_length(
            'ROW-4', 'sampled_logits_quantized', len(sampled_logits_quantized), len(sampled_indices_low)),
        logitpack_length('IDX-3', 'top_indices_high', octet_length(top_indices_high), (len(top_indices_low) + 3) // 4),
        logitpack_length(
            'IDX-3', 'sampled_indices_high', octet_length(sampled_indices_high), (len(sampled_indices_low) + 3) // 4),
        logitpack_between('IDX-1', 'top_indices_low', top_indices_low, 0, 65535),
        logitpack_between('IDX-1', 'sampled_indices_low', sampled_indices_low, 0, 65535),
        logitpack_between('QNT-8', 'top_logits_quantized', top_logits_quantized, 0, 65535),
        logitpack_between('QNT-8', 'sampled_logits_quantized', sampled_logits_quantized, 0, 65535),
        logitpack_ends('top', top_min, top_max), logitpack_ends('sampled', sampled_min, sampled_max),
        logitpack_finite('logsumexp', logsumexp)
    ) AS breach
    FROM logitpack_stored(source);

CREATE OR REPLACE MACRO logitpack_breaches(source) AS TABLE
    SELECT row, split_part(breach, ':', 1) AS requirement, breach AS message
    FROM logitpack_judged(source) WHERE breach IS NOT NULL;

-- 3. Decoding.

-- The high part of entry k of a row (IDX-2), out of its bytes as a BIT value. DuckDB counts the bits of a byte from the
-- most significant one: the pair of entry k, at bits 2(k mod 4) and 2(k mod 4) + 1, begins at 2 * xor(k, 3).
CREATE OR REPLACE MACRO logitpack_high(bits, k) AS
    2 * get_bit(bits, (2 * xor(k, 3))::INTEGER) + get_bit(bits, (2 * xor(k, 3) + 1)::INTEGER);

-- The vocabulary index of entry k of a row (section 7).
CREATE OR REPLACE MACRO logitpack_index(low, bits, k) AS low[k + 1]::INTEGER + 65536 * logitpack_high(bits, k);

-- What a code stands for in its token's range (QNT-2), in nats; in DOUBLE, though FLOAT would do.
CREATE OR REPLACE MACRO logitpack_logit(code, least, most) AS
    code / 65535 * (most::DOUBLE - least::DOUBLE) + least::DOUBLE;

-- The entry at which each token of a row begins. Sums over the counts before each would take quadratic time.
CREATE OR REPLACE MACRO logitpack_starts(counts) AS
    list_where(range(list_sum(counts)::BIGINT),
               flatten(list_transform(counts, lambda c: list_resize([true], c::BIGINT, false))));

-- A row for each token. Its entries are taken one by one, by number: a slice of a list costs as much as the list.
CREATE OR REPLACE MACRO logitpack_tokens(source, vocab_size := 2147483648) AS TABLE
    SELECT
        row, token, logsumexp, token_id,
        list_transform(nucleus, lambda k: logitpack_index(top_low, top_bits, k)) AS top_indices,
        list_transform(nucleus, lambda k: logitpack_logit(top_codes[k + 1], top_min, top_max)) AS top_logits,
        list_transform(tail, lambda k: logitpack_index(sampled_low, sampled_bits, k)) AS sampled_indices,
        list_transform(tail, lambda k: logitpack_logit(sampled_codes[k + 1], sampled_min, sampled_max)) AS sampled_logits
    FROM (
        SELECT *, range(start, start + count) AS nucleus, range(token * stride, (token + 1) * stride) AS tail
        FROM (
            SELECT
                row, unnest(range(num_tokens::BIGINT)) AS token, unnest(logsumexp) AS logsumexp,
                unnest(logitpack_starts(top_counts)) AS start, unnest(top_counts)::BIGINT AS count,
                unnest(top_min) AS top_min, unnest(top_max) AS top_max,
                (len(sampled_indices_low) // num_tokens)::BIGINT AS stride,
                unnest(sampled_min) AS sampled_min, unnest(sampled_max) AS sampled_max,
                top_indices_low AS top_low, top_indices_high::BIT AS top_bits, top_logits_quantized AS top_codes,
                sampled_indices_low AS sampled_low, sampled_indices_high::BIT AS sampled_bits,
                sampled_logits_quantized AS sampled_codes,
                unnest(if(len(token_ids) = num_tokens AND list_min(token_ids) >= 0
                          AND list_max(token_ids) < vocab_size, token_ids, NULL)) AS token_id  -- else absent: ALN-4
            FROM logitpack_judged(source)
            WHERE CASE WHEN breach IS NULL THEN true ELSE error(format('{} (row {})', breach, row))::BOOLEAN END
        )
    );

-- A row for each entry of the nucleus ('top') and the tail ('sampled').
CREATE OR REPLACE MACRO logitpack_entries(source, vocab_size := 2147483648) AS TABLE
    SELECT row, token, kind, entry, index, logit, exp(logit - logsumexp) AS probability
    FROM (
        SELECT
            row, token, logsumexp, unnest(list_resize(['top'], len(top_indices), 'top')
                || list_resize(['sampled'], len(sampled_indices), 'sampled')) AS kind,
            unnest(range(len(top_indices)) || range(len(sampled_indices))) AS entry,
            unnest(top_indices || sampled_indices) AS index, unnest(top_logits || sampled_logits) AS logit
        FROM logitpack_tokens(source, vocab_size := vocab_size)
    );

-- Logical JSON (section 4.4): the object of each token.
CREATE OR REPLACE MACRO logitpack_json(source, vocab_size := 2147483648) AS TABLE
    SELECT row, CASE
        WHEN token_id IS NULL THEN to_json(struct_pack(logsumexp, top, sampled))
        ELSE to_json(struct_pack(logsumexp, top, sampled, token_id))
    END AS token
    FROM (
        SELECT row, logsumexp, token_id, struct_pack(indices := top_indices, logits := top_logits) AS top,
            struct_pack(indices := sampled_indices, logits := sampled_logits) AS sampled
        FROM logitpack_tokens(source, vocab_size := vocab_size)
    );
